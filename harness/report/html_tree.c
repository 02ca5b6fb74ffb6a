/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/html_tree.h"

#include <stdbool.h>
#include <glib.h>

/* What XML has no character for (XML 1.0, section 2.2) becomes U+FFFD. */
static char *cleaned(const char *foreign)
{
	g_autofree char *valid = g_utf8_make_valid(foreign, -1);
	GString *clean = g_string_new(NULL);

	for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		bool control = (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0);

		g_string_append_unichar(clean, control || c == 0xfffe || c == 0xffff ? 0xfffd : c);
	}
	return g_string_free(clean, FALSE);
}

void html_add_text(xmlNode *parent, const char *text)
{
	g_autofree char *clean = cleaned(text);

	xmlAddChild(parent, xmlNewText((const xmlChar *)clean));
}

xmlNode *html_add(xmlNode *parent, const char *name, const char *text)
{
	xmlNode *node = xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);

	if (text != NULL)
		html_add_text(node, text);
	return node;
}

xmlNode *html_add_class(xmlNode *parent, const char *name, const char *class, const char *text)
{
	xmlNode *node = html_add(parent, name, text);

	html_set(node, "class", class);
	return node;
}

void html_set(xmlNode *node, const char *name, const char *value)
{
	g_autofree char *clean = cleaned(value);

	xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)clean);
}

static xmlNode *find_below(xmlNode *node, const char *id)
{
	for (; node != NULL; node = node->next) {
		xmlChar *value;
		xmlNode *found;
		bool equal;

		if (node->type != XML_ELEMENT_NODE)
			continue;
		value = xmlGetProp(node, (const xmlChar *)"id");
		equal = value != NULL && xmlStrEqual(value, (const xmlChar *)id);
		xmlFree(value);
		if (equal)
			return node;
		found = find_below(node->children, id);
		if (found != NULL)
			return found;
	}
	return NULL;
}

xmlNode *html_find(xmlDoc *doc, const char *id)
{
	xmlNode *node = find_below(xmlDocGetRootElement(doc), id);

	g_assert(node != NULL); /* the template is part of the program */
	return node;
}
