/* SPDX-License-Identifier: GPL-2.0-only */
#include "virt/template.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>

#include "base/error.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlXPathObject, xmlXPathFreeObject)

struct template
{
	const struct virt_level *level;
	char *path;
	xmlDocPtr document;
	xmlXPathContextPtr context;
};

struct template *template_load(const struct virt_level *level, const char *path, GError **error)
{
	xmlDocPtr document = xmlReadFile(path, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
	struct template *template;

	if (document == NULL)
		return eptlab_null(error, level->code,
				   "%s: the template of %s's domain, %s, is not XML; restore it",
				   level->here, level->vm, path);
	template = g_new(struct template, 1);
	*template = (struct template){
		.level = level,
		.path = g_strdup(path),
		.document = document,
		.context = xmlXPathNewContext(document),
	};
	return template;
}

void template_free(struct template *template)
{
	if (template == NULL)
		return;
	xmlXPathFreeContext(template->context);
	xmlFreeDoc(template->document);
	g_free(template->path);
	g_free(template);
}

static xmlNodePtr find(struct template *template, const char *xpath, GError **error)
{
	g_autoptr(xmlXPathObject) found =
		xmlXPathEvalExpression((const xmlChar *)xpath, template->context);

	if (found != NULL && found->nodesetval != NULL && found->nodesetval->nodeNr == 1)
		return found->nodesetval->nodeTab[0];
	return eptlab_null(
		error, template->level->code,
		"%s: the template of %s's domain, %s, has not one element %s; restore it",
		template->level->here, template->level->vm, template->path, xpath);
}

bool template_set(struct template *template, const char *xpath, const char *text, GError **error)
{
	xmlNodePtr node = find(template, xpath, error);
	xmlChar *escaped;

	if (node == NULL)
		return false;
	/* What is given as content is taken for XML. */
	escaped = xmlEncodeSpecialChars(template->document, (const xmlChar *)text);
	xmlNodeSetContent(node, escaped);
	xmlFree(escaped);
	return true;
}

bool template_set_attribute(struct template *template, const char *xpath, const char *name,
			    const char *value, GError **error)
{
	xmlNodePtr node = find(template, xpath, error);

	if (node == NULL)
		return false;
	xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value);
	return true;
}

bool template_remove(struct template *template, const char *xpath, GError **error)
{
	xmlNodePtr node = find(template, xpath, error);

	if (node == NULL)
		return false;
	xmlUnlinkNode(node);
	xmlFreeNode(node);
	return true;
}

void template_remove_children(struct template *template, const char *xpath)
{
	g_autofree char *children = g_strconcat(xpath, "/node()", NULL);
	g_autoptr(xmlXPathObject) found =
		xmlXPathEvalExpression((const xmlChar *)children, template->context);
	int count = found != NULL && found->nodesetval != NULL ? found->nodesetval->nodeNr : 0;

	for (int i = 0; i < count; i++) {
		xmlUnlinkNode(found->nodesetval->nodeTab[i]);
		xmlFreeNode(found->nodesetval->nodeTab[i]);
		/* xmlXPathFreeObject looks at what is still there. */
		found->nodesetval->nodeTab[i] = NULL;
	}
}

char *template_text(struct template *template)
{
	xmlChar *text = NULL;
	char *xml;
	int length;

	xmlDocDumpMemory(template->document, &text, &length);
	xml = g_strndup((const char *)text, (gsize)length);
	xmlFree(text);
	return xml;
}
