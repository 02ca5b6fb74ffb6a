/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_VIRT_TEMPLATE_H
#define EPTLAB_VIRT_TEMPLATE_H

#include <stdbool.h>

#include "virt/hypervisor.h"

/*
 * A libvirt domain XML as a template: a readable file, in which some elements and attributes are
 * filled in. Errors have the level's code: a template is a file of ours, so each is about a file
 * that was changed.
 */
struct template;

struct template *template_load(const struct virt_level *level, const char *path, GError **error);
void template_free(struct template *template);

typedef struct template struct_template;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_template, template_free)

/* The one element or attribute at that XPath gets that text. */
bool template_set(struct template *template, const char *xpath, const char *text, GError **error);

/* The one element at that XPath gets an attribute, or another value for it. */
bool template_set_attribute(struct template *template, const char *xpath, const char *name,
			    const char *value, GError **error);

/* The one element at that XPath is taken away. */
bool template_remove(struct template *template, const char *xpath, GError **error);

/* All that is in the elements at that XPath is taken away. */
void template_remove_children(struct template *template, const char *xpath);

/* All of it; the caller frees it with g_free. */
char *template_text(struct template *template);

#endif
