/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_group.c - `weft group new` and `weft group invite`.
 */
#include <string.h>

#include "weft.h"

static const struct usage usage = {
    "usage: weft group new FILE\n"
    "       weft group invite FILE [INVITATION] [--key FILE]\n"
    "\n"
    "new makes a group: a file of mode 0600 with its key (it never replaces one). `weft listen "
    "--group FILE` and `weftd` answer\n"
    "its members.\n"
    "invite makes the invitation that members need to call the server with this user's key, or "
    "that of --key. It goes into\n"
    "the file INVITATION of mode 0600, or to standard output. Who has it is a member: hand it over "
    "by a way that nobody else\n"
    "sees. Members call with --invitation FILE, and write @host:port for the peer.\n",
    2, 3, NULL};

static int group_new(const struct app *a, const char *path)
{
    weft_group *group = NULL;
    weft_err err = weft_group_new(&group);

    if (err == WEFT_OK)
        err = weft_group_save(group, path);
    weft_group_free(group);
    if (err != WEFT_OK)
        return app_fail_err(a, err, "cannot make the group file %s", path);
    if (a->json) {
        (void)fputs("{\"file\":", stdout);
        app_json_string(stdout, path);
        (void)puts("}");
    } else if (!a->quiet) {
        (void)printf("made a new group in %s\n", path);
    }
    return 0;
}

static int write_invitation(const struct app *a, const weft_invitation *invitation,
                            const char *path)
{
    char text[WEFT_INVITATION_TEXT_MAX];
    weft_err err = WEFT_OK;

    if (path != NULL) {
        err = weft_invitation_save(invitation, path);
        return err == WEFT_OK ? 0 : app_fail_err(a, err, "cannot write the invitation to %s", path);
    }
    weft_invitation_text(text, invitation);
    (void)printf(a->json ? "{\"invitation\":\"%s\"}\n" : "%s\n", text);
    explicit_bzero(text, sizeof text);
    return fflush(stdout) == 0 ? 0 : app_fail(a, "cannot write the invitation.");
}

static int group_invite(struct app *a, const char *group_path, const char *path)
{
    weft_identity *id = NULL;
    weft_group *group = NULL;
    weft_invitation *invitation = NULL;
    int status = app_group_load(a, group_path, &group);
    weft_err err = WEFT_OK;

    if (status == 0)
        status = app_load_identity(a, false, &id);
    if (status == 0) {
        err = weft_group_invite(&invitation, group, id);
        status = err == WEFT_OK ? write_invitation(a, invitation, path)
                                : app_fail_err(a, err, "cannot make an invitation");
    }
    weft_invitation_free(invitation);
    weft_identity_free(id);
    weft_group_free(group);
    return status;
}

int cmd_group(struct app *a, int argc, char **argv)
{
    int status = cmd_options(a, &usage, NULL, argv, &argc);

    if (status >= 0)
        return status;
    if (strcmp(argv[0], "new") == 0 && argc == 2)
        return group_new(a, argv[1]);
    if (strcmp(argv[0], "invite") == 0)
        return group_invite(a, argv[1], argc == 3 ? argv[2] : NULL);
    return app_fail(a, "there is no \"group %.40s\" of %d arguments. See weft group --help.",
                    argv[0], argc);
}
