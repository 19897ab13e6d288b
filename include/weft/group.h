/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.h - limited circulation: groups whose talk is nobody else's business.
 *
 * A group is whoever has its key. Its servers answer members and, if told so (node.h), nobody else:
 * who is not of the group learns neither which groups a server answers, nor who calls it. A member
 * needs an invitation for each server: text that holds the group's key and the server's keys.
 *
 * Both are secrets: whoever gets them is a member, and there is no taking it back but a new group.
 * They are kept in locked memory and in files of mode 0600; a program must put them into no log and
 * no command line.
 *
 * Threads  An object belongs to one thread at a time.
 * Errors   On an error nothing is written through pointers.
 */
#ifndef WEFT_GROUP_H
#define WEFT_GROUP_H

#include "weft/key.h"

WEFT_BEGIN_DECLS

/* Bytes of the text of an invitation, the final NUL included. */
#define WEFT_INVITATION_TEXT_MAX 176

typedef struct weft_group weft_group;           /* a group's key */
typedef struct weft_invitation weft_invitation; /* what a member needs of one server */

/* ---- groups ---- */

/* A new one from the system's generator. Free it with weft_group_free. WEFT_ERR_NOMEM. */
WEFT_API WEFT_NODISCARD weft_err weft_group_new(weft_group **out);

/* Wipes and frees. NULL is allowed. */
WEFT_API void weft_group_free(weft_group *group);

/* Writes a group file of mode 0600, whole or not at all. WEFT_ERR_EXISTS: there is a file already
 * (it is left alone); WEFT_ERR_DENIED, WEFT_ERR_NO_SPACE, WEFT_ERR_IO. */
WEFT_API WEFT_NODISCARD weft_err weft_group_save(const weft_group *group, const char *path);

/* Reads a group file. WEFT_ERR_NOT_FOUND; WEFT_ERR_KEY_EXPOSED: others can read it;
 * WEFT_ERR_KEY_FILE: truncated, corrupt or no group file; WEFT_ERR_DENIED; WEFT_ERR_IO;
 * WEFT_ERR_NOMEM. */
WEFT_API WEFT_NODISCARD weft_err weft_group_load(weft_group **out, const char *path);

/* ---- invitations ---- */

/* For members of the group who want to call the server of this identity. WEFT_ERR_NOMEM. */
WEFT_API WEFT_NODISCARD weft_err weft_group_invite(weft_invitation **out, const weft_group *group,
                                                   const weft_identity *server);

/* Wipes and frees. NULL is allowed. */
WEFT_API void weft_invitation_free(weft_invitation *invitation);

/* The server it is for. */
WEFT_API weft_key weft_invitation_server(const weft_invitation *invitation);

/* Writes `weftgrp1…` and a NUL; the caller wipes it. */
WEFT_API void weft_invitation_text(char out[WEFT_INVITATION_TEXT_MAX],
                                   const weft_invitation *invitation);

/* WEFT_ERR_MALFORMED: no invitation, or one with a typo in it; WEFT_ERR_NOMEM. */
WEFT_API WEFT_NODISCARD weft_err weft_invitation_parse(weft_invitation **out, const char *text);

/* The text in a file; like weft_group_save and weft_group_load. What is around the text in the file
 * may be blanks and ends of lines. */
WEFT_API WEFT_NODISCARD weft_err weft_invitation_save(const weft_invitation *invitation,
                                                      const char *path);
WEFT_API WEFT_NODISCARD weft_err weft_invitation_load(weft_invitation **out, const char *path);

WEFT_END_DECLS

#endif
