/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_INTERRUPT_H
#define EPTLAB_CLI_INTERRUPT_H

#include <gio/gio.h>

/*
 * From now on SIGINT, SIGTERM and SIGHUP do not end the program: they cancel what is returned, from
 * a thread that waits for them. Call once, before any other thread is started. The caller owns a
 * reference.
 */
GCancellable *interrupt_catch(void);

#endif
