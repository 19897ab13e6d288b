/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_group_test.c - groups through the public functions: their files and invitations, who is
 * answered inside them and who is not, and what the grade says.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bech32.h"
#include "base/bytes.h"
#include "test.h"

#include "api_pair.h"

#define PATH_BYTES 512
#define FILE_BYTES 1024

/* --- files --- */

static char folder[PATH_BYTES / 2];
static char path[PATH_BYTES];

static const char *file(const char *name)
{
    (void)snprintf(folder, sizeof folder, "/tmp/weft-group-test-%ld", (long)getpid());
    CHECK(mkdir(folder, 0700) == 0 || access(folder, W_OK) == 0);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
    return path;
}

static void remove_files(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
}

static size_t read_file(char text[FILE_BYTES])
{
    FILE *f = fopen(path, "r");
    size_t len = 0;

    CHECK(f != NULL);
    len = fread(text, 1, FILE_BYTES - 1, f);
    text[len] = '\0';
    CHECK_EQ(fclose(f), 0);
    return len;
}

static void write_file(const char *text, size_t len, mode_t mode)
{
    FILE *f = fopen(path, "w");

    CHECK(f != NULL);
    CHECK_EQ(fwrite(text, 1, len, f), len);
    CHECK_EQ(fclose(f), 0);
    CHECK_EQ(chmod(path, mode), 0);
}

static unsigned mode_of_file(void)
{
    struct stat st;

    CHECK_EQ(stat(path, &st), 0);
    return st.st_mode & 0777u;
}

static weft_invitation *invite(const weft_group *group, weft_identity *server)
{
    weft_invitation *i = NULL;

    CHECK_OK(weft_group_invite(&i, group, server));
    return i;
}

static weft_identity *identity(void)
{
    weft_identity *id = NULL;

    CHECK_OK(weft_identity_new(&id));
    return id;
}

static weft_group *group(void)
{
    weft_group *g = NULL;

    CHECK_OK(weft_group_new(&g));
    return g;
}

/* Two groups are one when their invitations are. */
static bool is_same(const weft_group *a, const weft_group *b)
{
    weft_identity *id = identity();
    weft_invitation *ia = invite(a, id);
    weft_invitation *ib = invite(b, id);
    char ta[WEFT_INVITATION_TEXT_MAX];
    char tb[WEFT_INVITATION_TEXT_MAX];

    weft_invitation_text(ta, ia);
    weft_invitation_text(tb, ib);
    weft_invitation_free(ia);
    weft_invitation_free(ib);
    weft_identity_free(id);
    return strcmp(ta, tb) == 0;
}

TEST(a_group_file_is_for_its_owner_alone_and_comes_back) /* SPEC 1.10-12 */
{
    weft_group *g = group();
    weft_group *other = group();
    weft_group *again = NULL;

    CHECK(!is_same(g, other));
    CHECK_OK(weft_group_save(g, file("group")));
    CHECK_EQ(mode_of_file(), 0600);
    CHECK_EQ(weft_group_save(other, path), WEFT_ERR_EXISTS);
    CHECK_OK(weft_group_load(&again, path));
    CHECK(is_same(g, again));
    weft_group_free(again);
    for (unsigned bit = 1; bit <= 040; bit <<= 1) { /* any bit of group and others */
        CHECK_EQ(chmod(path, 0600u | bit), 0);
        again = NULL;
        CHECK_EQ(weft_group_load(&again, path), WEFT_ERR_KEY_EXPOSED);
        CHECK(again == NULL);
    }
    CHECK_EQ(weft_group_load(&again, file("absent")), WEFT_ERR_NOT_FOUND);
    weft_group_free(g);
    weft_group_free(other);
    weft_group_free(NULL);
    (void)file("group");
    remove_files();
}

TEST(no_group_file_that_is_cut_or_changed_is_taken)
{
    weft_group *g = group();
    weft_group *out = NULL;
    char text[FILE_BYTES];
    size_t len = 0;

    CHECK_OK(weft_group_save(g, file("group")));
    len = read_file(text);
    for (size_t cut = 0; cut < len; cut++) {
        write_file(text, cut, 0600);
        CHECK_EQ(weft_group_load(&out, path), WEFT_ERR_KEY_FILE);
    }
    for (size_t at = 0; at < len; at++) {
        text[at] ^= 1;
        write_file(text, len, 0600);
        CHECK_EQ(weft_group_load(&out, path), WEFT_ERR_KEY_FILE);
        text[at] ^= 1;
    }
    text[len] = '\n';
    write_file(text, len + 1, 0600);
    CHECK_EQ(weft_group_load(&out, path), WEFT_ERR_KEY_FILE);
    write_file(text, len, 0600);
    CHECK_OK(weft_group_load(&out, path));
    weft_group_free(out);
    weft_group_free(g);
    remove_files();
}

TEST(an_invitation_comes_back_from_text_and_file)
{
    weft_identity *id = identity();
    weft_group *g = group();
    weft_invitation *i = invite(g, id);
    weft_invitation *again = NULL;
    weft_key server = weft_identity_key(id);
    weft_key key = weft_invitation_server(i);
    char text[WEFT_INVITATION_TEXT_MAX];
    char back[FILE_BYTES];

    CHECK_MEM_EQ(&key, &server, sizeof key);
    weft_invitation_text(text, i);
    CHECK(strncmp(text, "weftgrp1", 8) == 0);
    CHECK_OK(weft_invitation_parse(&again, text));
    weft_invitation_text(back, again);
    CHECK_STR_EQ(back, text);
    weft_invitation_free(again);
    CHECK_OK(weft_invitation_save(i, file("invitation")));
    CHECK_EQ(weft_invitation_save(i, path), WEFT_ERR_EXISTS);
    CHECK_EQ(mode_of_file(), 0600); /* SPEC 1.10-12 */
    CHECK_OK(weft_invitation_load(&again, path));
    weft_invitation_text(back, again);
    CHECK_STR_EQ(back, text);
    weft_invitation_free(again);
    CHECK_EQ(chmod(path, 0644), 0);
    CHECK_EQ(weft_invitation_load(&again, path), WEFT_ERR_KEY_EXPOSED);
    weft_invitation_free(i);
    weft_invitation_free(NULL);
    weft_group_free(g);
    weft_identity_free(id);
    remove_files();
}

TEST(a_file_holds_one_invitation_and_blanks_around_it)
{
    weft_identity *id = identity();
    weft_group *g = group();
    weft_invitation *i = invite(g, id);
    weft_invitation *out = NULL;
    char text[WEFT_INVITATION_TEXT_MAX];
    char whole[FILE_BYTES];
    static const struct {
        const char *before, *behind;
        weft_err err;
    } cases[] = {
        {"", "", WEFT_OK},
        {" \n\t", "\r\n\n", WEFT_OK},
        {"", "\nx", WEFT_ERR_KEY_FILE},
        {"x ", "", WEFT_ERR_KEY_FILE},
        {"", "q", WEFT_ERR_KEY_FILE},
    };

    weft_invitation_text(text, i);
    (void)file("invitation");
    for (size_t k = 0; k < WF_ARRAY_LEN(cases); k++) {
        int len = snprintf(whole, sizeof whole, "%s%s%s", cases[k].before, text, cases[k].behind);

        write_file(whole, (size_t)len, 0600);
        out = NULL;
        CHECK_EQ(weft_invitation_load(&out, path), cases[k].err);
        weft_invitation_free(out);
    }
    write_file("", 0, 0600);
    CHECK_EQ(weft_invitation_load(&out, path), WEFT_ERR_KEY_FILE);
    CHECK_EQ(weft_invitation_parse(&out, NULL), WEFT_ERR_MALFORMED);
    CHECK_EQ(weft_invitation_parse(&out, ""), WEFT_ERR_MALFORMED);
    text[50] = text[50] == 'q' ? 'p' : 'q';
    CHECK_EQ(weft_invitation_parse(&out, text), WEFT_ERR_MALFORMED);
    weft_invitation_free(i);
    weft_group_free(g);
    weft_identity_free(id);
    remove_files();
}

/* --- talk --- */

struct seen {
    unsigned calls;
    weft_grade grade;
    uint32_t group;
};

static struct pair pair;
static struct seen seen;
static weft_group *theirs, *ours;
static weft_identity *server_id;

static void on_message(weft_exchange *x, const weft_message *m, void *user)
{
    (void)user;
    seen = (struct seen){.calls = seen.calls + 1, .grade = m->grade, .group = m->group};
    CHECK_OK(weft_reply(x, m->body, m->len));
}

static void open_pair(bool only)
{
    weft_node_params p = WEFT_NODE_PARAMS;

    theirs = group();
    ours = group();
    server_id = identity();
    p.identity = server_id;
    p.listen = "127.0.0.1:0";
    p.sessions_max = 64;
    CHECK_OK(weft_node_open(&pair.server, &p));
    pair.client = api_node(NULL);
    pair.server_key = weft_node_key(pair.server);
    api_name(pair.to, pair.server);
    CHECK_OK(weft_node_serve(pair.server, "echo", on_message, NULL));
    CHECK_OK(weft_node_allow(pair.server, NULL, "*"));
    CHECK_OK(weft_node_group(pair.server, theirs));
    CHECK_OK(weft_node_group(pair.server, ours));
    CHECK_EQ(weft_node_group(pair.server, ours), WEFT_ERR_EXISTS);
    if (only)
        CHECK_OK(weft_node_only_groups(pair.server));
    seen = (struct seen){.calls = 0};
}

static void close_pair(void)
{
    pair_close(&pair);
    weft_group_free(theirs);
    weft_group_free(ours);
    weft_identity_free(server_id);
}

static weft_err join(weft_node *n, const weft_group *g, bool first_data)
{
    weft_invitation *i = invite(g, server_id);
    weft_err err = weft_node_join(n, i, first_data);

    weft_invitation_free(i); /* the node has a copy */
    return err;
}

TEST(members_talk_and_the_grade_says_what_may_be_lost) /* SPEC 1.10-11 */
{
    for (int only = 0; only <= 1; only++) {
        for (int first = 0; first <= 1; first++) {
            open_pair(only != 0);
            CHECK_OK(join(pair.client, ours, first != 0));
            struct fate f = ask(&pair, "echo");
            CHECK_EQ(f.kind, WEFT_REPLIED);
            CHECK_EQ(f.grade, WEFT_GRADE_GROUP);
            CHECK_EQ(seen.calls, 1);
            CHECK_EQ(seen.grade, first != 0 ? WEFT_GRADE_GROUP_EARLY : WEFT_GRADE_GROUP);
            CHECK_EQ(seen.group, 2);
            f = ask(&pair, "echo"); /* the session stands */
            CHECK_EQ(f.kind, WEFT_REPLIED);
            CHECK_EQ(seen.grade, WEFT_GRADE_GROUP);
            close_pair();
        }
    }
}

TEST(who_is_in_no_group_is_answered_only_where_all_are)
{
    open_pair(false);
    struct fate f = ask(&pair, "echo");
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_EQ(seen.group, 0);
    CHECK_EQ(f.grade, WEFT_GRADE_FULL);
    close_pair();
}

TEST(a_member_is_subject_to_rules_as_everybody_is)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_node *closed = NULL;
    struct fate f;

    open_pair(true);
    weft_node_close(pair.server);
    p.identity = server_id;
    p.listen = "127.0.0.1:0";
    CHECK_OK(weft_node_open(&closed, &p));
    pair.server = closed;
    api_name(pair.to, closed);
    CHECK_OK(weft_node_serve(closed, "echo", on_message, NULL));
    CHECK_OK(weft_node_group(closed, ours));
    CHECK_OK(join(pair.client, ours, false));
    f = ask(&pair, "echo");
    CHECK_EQ(f.kind, WEFT_FAILED);
    CHECK_EQ(f.err, WEFT_ERR_DENIED);
    CHECK_EQ(seen.calls, 0);
    close_pair();
}

TEST(an_anonymous_node_joins_nothing_and_none_joins_itself)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_node *anonymous = NULL;

    open_pair(true);
    p.anonymous = true;
    anonymous = api_node(&p);
    CHECK_EQ(join(anonymous, ours, false), WEFT_ERR_USAGE); /* SPEC 1.10-3 */
    CHECK_EQ(join(pair.server, ours, false), WEFT_ERR_USAGE);
    weft_node_close(anonymous);
    close_pair();
}
