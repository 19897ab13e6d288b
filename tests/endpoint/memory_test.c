/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_test.c - where secrets lie. Two cores with real random bytes shake hands, talk and change
 * keys; each secret on the way is noted down masked, and then every writable byte of this process
 * is searched for it, stacks and freed blocks included: while it is in use it may lie in locked
 * memory alone that no core dump holds, and afterwards nowhere.
 */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core_pair.h"
#include "crypto/crypto.h"
#include "endpoint/core_priv.h"
#include "net/mem_system.h"
#include "session/adm_priv.h"
#include "session/hs_priv.h"

#define MASK 0xa5u
#define NEEDLE 24u /* the middle of a secret: X25519 clamps the ends of its copies */
#define NEEDLES_MAX 96u
#define CHUNK ((size_t)1 << 20)

/* --- what is looked for --- */

struct needle {
    const char *name;
    uint8_t masked[NEEDLE];
    size_t len;
};

static struct needle needles[NEEDLES_MAX];
static size_t needle_count;

static void note_secret(const char *name, const uint8_t *secret, size_t len)
{
    size_t skip = len >= 32 ? 4 : 0;
    struct needle n = {.name = name, .len = len - 2 * skip};
    bool is_zero = true;

    for (size_t i = 0; i < n.len; i++) {
        n.masked[i] = (uint8_t)(secret[skip + i] ^ MASK);
        is_zero = is_zero && secret[skip + i] == 0;
    }
    CHECK(!is_zero);
    CHECK(needle_count < NEEDLES_MAX);
    needles[needle_count++] = n;
}

static void note_identity(const char *name, const struct wf_identity *id)
{
    note_secret(name, id->seed, 32);
    note_secret(name, id->client_secret, 32);
    note_secret(name, id->server_secret, 32);
}

static void note_admission(const struct wf_adm *a)
{
    note_secret("t_s", a->secrets->ts[a->ts_now], 32);
    note_secret("cookie secret", a->secrets->cookie[a->epoch % WF_ADM_EPOCHS], 16);
    note_secret("table key", a->secrets->table_key, 16);
    for (size_t i = 0; i < a->pool_count; i++)
        note_secret("e2 made ahead", a->pool[i]->secret, 32);
}

/* Of the client's side, as a key log has them. */
struct roots {
    uint8_t c2s[32], s2c[32];
};
static struct roots *roots; /* in a slot */

static void log_root(void *ctx, const uint8_t cid[8], unsigned phase, const char *direction,
                     const uint8_t root[32])
{
    (void)ctx;
    (void)cid;
    (void)phase;
    memcpy(strcmp(direction, "c2s") == 0 ? roots->c2s : roots->s2c, root, 32);
}

static const struct wf_keylog keylog = {.line = log_root};

/* The roots and what is derived from them, which is done in a slot as the session does it. The keys
 * of headers stay when the others change. */
static void note_keys(const char *name, bool with_headers)
{
    struct wf_secret_arena *arena = NULL;

    CHECK_OK(wf_secret_arena_new(&arena, test_mem(),
                                 sizeof(struct wf_keys) + sizeof(struct wf_session_secrets), 1));
    struct wf_keys *k = wf_secret_get(arena);
    CHECK(k != NULL);
    struct wf_session_secrets *s = (void *)(k + 1);
    memcpy(s->root_c2s, roots->c2s, 32);
    memcpy(s->root_s2c, roots->s2c, 32);
    wf_keys_init(k, WF_ROLE_CLIENT, WF_AEAD_XCHACHA20_POLY1305, s);
    note_secret(name, k->root_tx, 32);
    note_secret(name, k->root_rx, 32);
    note_secret(name, k->tx.key, 32);
    note_secret(name, k->rx.key, 32);
    if (with_headers) {
        note_secret(name, k->header_tx, 16);
        note_secret(name, k->header_rx, 16);
    }
    wf_secret_arena_free(arena);
}

static struct session *only_session(const struct wf_core *c)
{
    CHECK_EQ(c->all.count, 1);
    return WF_CONTAINER_OF(c->all.first, struct session, all_link);
}

/* --- the search --- */

struct found {
    unsigned locked, open;
    char where[160]; /* the last one in open memory */
};

struct mapping {
    uintptr_t start, end;
    char name[100];
    bool is_locked, is_not_dumped;
};

#define MAPPINGS_MAX 1024u
static struct mapping mappings[MAPPINGS_MAX];
static size_t mapping_count;
static uint8_t *chunk; /* a mapping of its own, which is not searched */

static void read_flags(struct mapping *m, const char *line)
{
    m->is_locked = strstr(line, " lo") != NULL;
    m->is_not_dumped = strstr(line, " dd") != NULL;
}

/* Readable and writable ones. */
static void read_mappings(void)
{
    char line[512];
    FILE *f = fopen("/proc/self/smaps", "r");
    struct mapping *m = NULL;

    CHECK(f != NULL);
    mapping_count = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        struct mapping new = {0};
        char modes[8] = "";
        int at = 0;
        if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %n", &new.start, &new.end, modes, &at) == 3) {
            m = NULL;
            if (modes[0] != 'r' || modes[1] != 'w' || new.start == (uintptr_t)chunk)
                continue;
            CHECK(mapping_count < MAPPINGS_MAX);
            m = &mappings[mapping_count++];
            *m = new;
            (void)snprintf(m->name, sizeof m->name, "%.*s", (int)strcspn(line + at, "\n"),
                           line + at);
        } else if (m != NULL && strncmp(line, "VmFlags:", 8) == 0) {
            read_flags(m, line);
        }
    }
    (void)fclose(f);
}

static void search_chunk(const struct mapping *m, uintptr_t base, size_t len, struct found *found)
{
    for (size_t i = 0; i < len; i++)
        chunk[i] ^= MASK;
    for (size_t n = 0; n < needle_count; n++) {
        const uint8_t *at = chunk;
        size_t left = len;
        while ((at = memmem(at, left, needles[n].masked, needles[n].len)) != NULL) {
            uintptr_t there = base + (uintptr_t)(at - chunk);
            bool in_notes =
                there >= (uintptr_t)needles && there < (uintptr_t)(needles + NEEDLES_MAX);
            if (!in_notes && m->is_locked && m->is_not_dumped) {
                found->locked++;
            } else if (!in_notes) {
                found->open++;
                (void)snprintf(found->where, sizeof found->where, "%s at %lx of %s",
                               needles[n].name, there, m->name);
            }
            at++;
            left = len - (size_t)(at - chunk);
        }
    }
}

/* Pieces overlap by a needle. */
static void search_mapping(int mem, const struct mapping *m, struct found *found)
{
    for (uintptr_t at = m->start; at < m->end;) {
        size_t want = m->end - at < CHUNK ? m->end - at : CHUNK;
        ssize_t got = pread(mem, chunk, want, (off_t)at);
        if (got <= 0)
            return;
        search_chunk(m, at, (size_t)got, found);
        if (at + (size_t)got >= m->end)
            return;
        at += (size_t)got - NEEDLE;
    }
}

static struct found search_memory(void)
{
    struct found found = {0};
    int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

    CHECK(mem >= 0);
    read_mappings();
    for (size_t i = 0; i < mapping_count; i++)
        search_mapping(mem, &mappings[i], &found);
    (void)close(mem);
    memset(chunk, 0, CHUNK);
    return found;
}

static void begin_search(void)
{
    needle_count = 0;
    chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(chunk != MAP_FAILED);
}

static void end_search(void)
{
    CHECK_EQ(munmap(chunk, CHUNK), 0);
}

static void expect_nowhere(const char *when)
{
    struct found f = search_memory();

    if (f.open != 0 || f.locked != 0)
        FAIL("%s: %u locked and %u open copies; %s", when, f.locked, f.open, f.where);
}

/* In use: each of so many at least once. */
static void expect_locked(const char *when, size_t at_least)
{
    struct found f = search_memory();

    if (f.open != 0)
        FAIL("%s: %u copies in open memory; %s", when, f.open, f.where);
    CHECK_LE(at_least, f.locked);
}

/* --- the search itself --- */

/* A buffer of the program, a freed block and a dead stack frame: all are found. */
static __attribute__((noinline)) void leave_on_stack(const uint8_t *secret)
{
    volatile uint8_t copy[65536]; /* deeper than the search will go */

    for (size_t i = 0; i < 32; i++)
        copy[i + 16] = secret[i];
    (void)copy[16];
}

TEST(a_copy_in_the_heap_in_a_freed_block_or_on_a_dead_stack_is_found)
{
    struct wf_secret_arena *arena = NULL;
    uint8_t *open = malloc(5000);

    begin_search();
    CHECK_OK(wf_crypto_init());
    CHECK_OK(wf_secret_arena_new(&arena, test_mem(), 32, 1));
    uint8_t *secret = wf_secret_get(arena);
    CHECK(secret != NULL && open != NULL);
    wf_random(&wf_rng_system, secret, 32);
    note_secret("planted", secret, 32);
    expect_locked("in a slot alone", 1);
    for (size_t i = 0; i < 32; i++)
        ((volatile uint8_t *)open)[777 + i] = secret[i];
    CHECK_EQ(search_memory().open, 1);
    wf_wipe(open + 777, 32);
    CHECK_EQ(search_memory().open, 0);
    for (size_t i = 0; i < 32; i++)
        ((volatile uint8_t *)open)[777 + i] = secret[i];
    free(open);
    CHECK_EQ(search_memory().open, 1);
    leave_on_stack(secret);
    CHECK_EQ(search_memory().open, 2);
    wf_secret_arena_free(arena);
    end_search();
}

/* --- a session's life --- */

static struct core_pair pair;
static struct wf_mem mems[2];
static struct wf_secret_arena *roots_arena;

/* Up to where the client has made its SOLVE, whose ephemeral is there then. */
static bool keep_solve(struct core_pair *p, struct cp_datagram *d)
{
    if (d->data[0] == WF_TYPE_SOLVE && p->side[0].core->calling.first != NULL) {
        const struct session *s = only_session(p->side[0].core);
        note_secret("e_c", s->hs->e_c_secret, 32);
        note_secret("chain", s->hs->schedule.ck, 32);
    }
    return true;
}

static void boot(int i)
{
    struct cp_side *s = &pair.side[i];
    struct wf_core_config c = s->config;

    c.mem = s->mem;
    c.rng = &wf_rng_system;
    wf_random(&wf_rng_system, c.seed, sizeof c.seed);
    CHECK_OK(wf_core_new(&s->core, &c, pair.now));
    wf_wipe(&c, sizeof c);
    note_identity(i == 0 ? "client's identity" : "server's identity", s->core->identity);
}

static void talk(void)
{
    struct wf_core_send_params sp = cp_params(&pair, 0, 3000);
    struct cp_message *m = cp_send(&pair, 0, &sp);

    CHECK(m != NULL);
    cp_run(&pair, 200000);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
}

/* Two cores that have met nobody yet. */
static void begin(void)
{
    begin_search();
    CHECK_OK(wf_crypto_init());
    CHECK_OK(wf_secret_arena_new(&roots_arena, test_mem(), sizeof *roots, 1));
    roots = wf_secret_get(roots_arena);
    CHECK(roots != NULL);
    for (int i = 0; i < 2; i++)
        wf_mem_system(&mems[i], 0); /* unlike that of tests it does not wipe what is released */
    cp_init(&pair, &mems[0], &mems[1]);
    pair.side[0].config.keylog = &keylog;
    boot(0);
    boot(1);
    pair.side[1].replies = true;
    pair.side[1].reply_len = 500;
    pair.filter = keep_solve;
    cp_run(&pair, 3000); /* a few keys are made ahead */
    note_admission(pair.side[1].core->adm);
}

static void end(void)
{
    cp_close(&pair);
    wf_secret_arena_free(roots_arena);
}

TEST(secrets_lie_in_locked_memory_alone_and_nowhere_once_their_cores_are_gone)
{
    struct wf_core_send_params sp;

    begin();
    expect_locked("before the handshake", needle_count);
    sp = cp_params(&pair, 0, 10);
    CHECK(cp_send(&pair, 0, &sp) != NULL);
    cp_run(&pair, 12000); /* SOLVE is under way */
    expect_locked("between SOLVE and CONFIRM", needle_count);
    talk();
    note_keys("packet keys", true);
    CHECK(needle_count > 16);
    expect_locked("in the session", needle_count - 2); /* not e_c nor the chain any more */
    end();
    expect_nowhere("afterwards");
    end_search();
}

TEST(keys_of_a_session_are_nowhere_once_it_is_over_though_its_cores_live)
{
    begin();
    talk();
    needle_count = 0;
    note_keys("packet keys", true);
    expect_locked("in the session", needle_count);
    wf_secret_arena_free(roots_arena);
    roots_arena = NULL;
    wf_core_shut(pair.side[1].core, pair.now);
    cp_run(&pair, 60000000);
    CHECK_EQ(pair.side[0].sessions_ended, 1);
    CHECK_EQ(pair.side[1].sessions_ended, 1);
    expect_nowhere("after the session");
    end();
    end_search();
}

/* SPEC 4.6-6 */
TEST(keys_of_a_folded_session_are_nowhere)
{
    struct wf_core_stats stats;

    begin();
    talk();
    needle_count = 0;
    note_keys("packet keys", true);
    expect_locked("in the session", needle_count);
    wf_secret_arena_free(roots_arena);
    roots_arena = NULL;
    cp_run(&pair, 30000000);
    for (int i = 0; i < 2; i++) {
        wf_core_stats(pair.side[i].core, &stats);
        CHECK_EQ(stats.presences, 1);
    }
    expect_nowhere("at rest");
    end();
    end_search();
}

TEST(old_keys_are_nowhere_after_a_key_change)
{
    struct roots first;

    begin();
    talk();
    needle_count = 0;
    note_keys("the first generation", false);
    first = *roots;
    for (unsigned i = 0; i < 10; i++) {
        cp_run(&pair, 15000000);
        talk();
    }
    CHECK(memcmp(first.c2s, roots->c2s, 32) != 0);
    wf_wipe(&first, sizeof first);
    expect_nowhere("after the change");
    end();
    end_search();
}
