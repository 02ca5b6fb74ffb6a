/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/domain.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>

#include "model/error.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlXPathContext, xmlXPathFreeContext)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlXPathObject, xmlXPathFreeObject)

static xmlNodePtr find(xmlXPathContext *context, const char *path, GError **error)
{
	g_autoptr(xmlXPathObject) found = xmlXPathEvalExpression((const xmlChar *)path, context);

	if (found != NULL && found->nodesetval != NULL && found->nodesetval->nodeNr == 1)
		return found->nodesetval->nodeTab[0];
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
		    "L1: the template of L2's domain has not one element %s; restore "
		    "guest-image/domain.xml",
		    path);
	return NULL;
}

/* The one element or attribute at path gets that text, escaped: its content is taken for XML. */
static bool fill_in(xmlXPathContext *context, const char *path, const char *text, GError **error)
{
	xmlNodePtr node = find(context, path, error);
	xmlChar *escaped;

	if (node == NULL)
		return false;
	escaped = xmlEncodeSpecialChars(context->doc, (const xmlChar *)text);
	xmlNodeSetContent(node, escaped);
	xmlFree(escaped);
	return true;
}

/*
 * loglevel: each character of a console is an I/O exit to QEMU, but a warning must be seen (5 is up
 * to KERN_WARNING). panic=-1: a panic resets at once,
 * which ends the domain, and is known by its text on the console.
 */
static char *command_line(const struct domain_spec *spec)
{
	return g_strdup_printf("console=ttyS0,115200 loglevel=5 root=/dev/vda1 ro panic=-1 "
			       "eptlab.workload=%s%s%s%s",
			       spec->workload, spec->hold ? " eptlab.hold" : "",
			       *spec->append != '\0' ? " " : "", spec->append);
}

/* The last digits of the template's UUID. */
static bool fill_in_uuid(xmlXPathContext *context, const struct domain_spec *spec, GError **error)
{
	g_autofree char *uuid = g_strdup_printf("e97ab000-0000-4000-8000-%012u", spec->number);

	return fill_in(context, "/domain/uuid", uuid, error);
}

static bool fill_in_file(xmlXPathContext *context, const struct domain_spec *spec,
			 unsigned int port, const char *file, GError **error)
{
	g_autofree char *xpath =
		g_strdup_printf("/domain/devices/serial[target/@port='%u']/source/@path", port);
	g_autofree char *path = domain_file(spec->name, file);

	return fill_in(context, xpath, path, error);
}

static bool fill_in_all(xmlXPathContext *context, const struct domain_spec *spec, GError **error)
{
	g_autofree char *memory = g_strdup_printf("%u", spec->memory_mib);
	g_autofree char *vcpus = g_strdup_printf("%u", spec->vcpus);
	g_autofree char *cmdline = command_line(spec);

	return fill_in(context, "/domain/name", spec->name, error) &&
	       fill_in_uuid(context, spec, error) &&
	       fill_in(context, "/domain/memory", memory, error) &&
	       fill_in(context, "/domain/vcpu", vcpus, error) &&
	       fill_in(context, "/domain/os/kernel", spec->kernel, error) &&
	       fill_in(context, "/domain/os/cmdline", cmdline, error) &&
	       fill_in_file(context, spec, 0, DOMAIN_CONSOLE, error) &&
	       fill_in_file(context, spec, 1, DOMAIN_FRAMES, error);
}

char *domain_xml(const char *template, const struct domain_spec *spec, GError **error)
{
	g_autoptr(xmlDoc) document =
		xmlReadFile(template, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
	g_autoptr(xmlXPathContext) context = NULL;
	xmlChar *text = NULL;
	char *xml;
	int length;

	if (document == NULL) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
			    "L1: the template of L2's domain, %s, is not XML; restore "
			    "guest-image/domain.xml",
			    template);
		return NULL;
	}
	context = xmlXPathNewContext(document);
	if (!fill_in_all(context, spec, error))
		return NULL;
	xmlDocDumpMemory(document, &text, &length);
	xml = g_strndup((const char *)text, (gsize)length);
	xmlFree(text);
	return xml;
}
