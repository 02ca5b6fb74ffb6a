/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/html_parts.h"

#include <stdbool.h>
#include <libxml/xpath.h>

#include "record/words.h"

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

void html_set_number(xmlNode *node, const char *name, int value)
{
	g_autofree char *text = g_strdup_printf("%d", value);

	html_set(node, name, text);
}

void html_set_percent(xmlNode *node, const char *name, double value)
{
	g_autofree char *number = words_double("%.2f", value);
	g_autofree char *text = g_strconcat(number, "%", NULL);

	html_set(node, name, text);
}

xmlNode *html_add_scroll(xmlNode *parent, const char *label)
{
	xmlNode *region = html_add_class(parent, "div", "scroll", NULL);

	html_set(region, "role", "region");
	html_set(region, "tabindex", "0");
	html_set(region, "aria-label", label);
	return region;
}

void html_add_cells(xmlNode *parent, const char *element, char **cells, guint n)
{
	xmlNode *row = html_add(parent, "tr", NULL);

	for (guint i = 0; i < n; i++) {
		const bool is_text = i == 0 || i == n - 1;
		const bool is_heading = i == 0 || g_str_equal(element, "th");
		xmlNode *cell = html_add_class(row, is_heading ? "th" : element,
					       is_text ? "text" : "number", cells[i]);

		if (is_heading)
			html_set(cell, "scope", g_str_equal(element, "th") ? "col" : "row");
	}
}

void html_add_mark(xmlNode *svg, const char *class, bool square, double x, int y, int half)
{
	xmlNode *mark = html_add_class(svg, square ? "rect" : "circle", class, NULL);
	g_autofree char *centred = g_strdup_printf("translate(-%d 0)", half);

	html_set_percent(mark, square ? "x" : "cx", x);
	html_set_number(mark, square ? "y" : "cy", square ? y - half : y);
	if (!square) {
		html_set_number(mark, "r", half);
		return;
	}
	html_set_number(mark, "width", 2 * half);
	html_set_number(mark, "height", 2 * half);
	html_set(mark, "transform", centred);
}

xmlNode *html_addf(xmlNode *parent, const char *name, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	return html_add(parent, name, text);
}

void html_add_textf(xmlNode *parent, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	html_add_text(parent, text);
}

xmlNode *html_find(xmlDoc *doc, const char *id)
{
	xmlXPathContext *context = xmlXPathNewContext(doc);
	g_autofree char *path = g_strdup_printf("//*[@id='%s']", id);
	xmlXPathObject *found = xmlXPathEvalExpression((const xmlChar *)path, context);
	xmlNode *node = found->nodesetval->nodeTab[0]; /* the template is part of the program */

	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
	return node;
}
