/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/domain.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>

#include "model/error.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlXPathContext, xmlXPathFreeContext)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlXPathObject, xmlXPathFreeObject)

/* The one element at path gets that text; libxml2 escapes it. */
static bool fill_in(xmlXPathContext *context, const char *path, const char *text, GError **error)
{
	g_autoptr(xmlXPathObject) found = xmlXPathEvalExpression((const xmlChar *)path, context);

	if (found == NULL || found->nodesetval == NULL || found->nodesetval->nodeNr != 1) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
			    "L1: the template of L2's domain has not one element %s; restore "
			    "guest-image/domain.xml",
			    path);
		return false;
	}
	xmlNodeSetContent(found->nodesetval->nodeTab[0], NULL);
	xmlNodeAddContent(found->nodesetval->nodeTab[0], (const xmlChar *)text);
	return true;
}

char *domain_xml(const char *template, const struct job *job, GError **error)
{
	g_autoptr(xmlDoc) document =
		xmlReadFile(template, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
	g_autoptr(xmlXPathContext) context = NULL;
	g_autofree char *memory = g_strdup_printf("%u", job->memory_mib);
	g_autofree char *vcpus = g_strdup_printf("%u", job->vcpus);
	/*
	 * quiet: each character of a console is an I/O exit to QEMU. panic=-1: a panic resets at
	 * once, which ends the domain, and is known by its text on the console.
	 */
	g_autofree char *cmdline = g_strdup_printf(
		"console=ttyS0,115200 quiet root=/dev/vda1 ro panic=-1 eptlab.workload=%s%s%s",
		job->workload, *job->append != '\0' ? " " : "", job->append);
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
	if (!fill_in(context, "/domain/memory", memory, error) ||
	    !fill_in(context, "/domain/vcpu", vcpus, error) ||
	    !fill_in(context, "/domain/os/cmdline", cmdline, error))
		return NULL;
	xmlDocDumpMemory(document, &text, &length);
	xml = g_strndup((const char *)text, (gsize)length);
	xmlFree(text);
	return xml;
}
