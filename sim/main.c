/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - weft-sim: runs seeds of the deterministic simulator. A failure names the invariant, the
 * seed and the command that shows it again; so does a crash.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "sim/world.h"

#define LINE_MAX_LEN 256
#define JOBS_MAX 64
/* A seed takes milliseconds; one that takes so long hangs. */
#define SEED_SECONDS_MAX 120u

static const char usage[] =
    "weft-sim: runs whole endpoints in a simulated network; one 64-bit seed decides everything.\n"
    "\n"
    "  weft-sim --seed N             one seed, with a summary\n"
    "  weft-sim --seeds COUNT        that many seeds in a row\n"
    "  weft-sim --regressions FILE   the seeds of a file, each \"SEED what it found\"\n"
    "  weft-sim --list               the classes of faults, attacks and behaviour\n"
    "\n"
    "  --from N         first seed of --seeds (1)\n"
    "  --jobs N         processes that share the seeds of --seeds (1)\n"
    "  --keep-going     do not stop at the first failure\n"
    "  --hash           print each seed's trace hash and nothing else\n"
    "  --verbose        print every event\n"
    "  --without CLASS  a class that stays off (again for more)\n"
    "  --only CLASS     of --seeds those that have it (again for more)\n";

struct arguments {
    uint64_t seed, from, count, without, only;
    unsigned jobs;
    bool has_seed, hash, verbose, keep_going, list;
    const char *regressions;
};

static volatile uint64_t running;

/* --- last words --- */

static void put_text(const char *text)
{
    ssize_t done = write(STDERR_FILENO, text, strlen(text));

    (void)done;
}

static void put_number(uint64_t v)
{
    char digits[24];
    size_t at = sizeof digits - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    put_text(digits + at);
}

/* Only what a signal handler may do. */
static void last_words(const char *what)
{
    put_text("\nseed ");
    put_number(running);
    put_text(": ");
    put_text(what);
    put_text("\n  again: make sim SEED=");
    put_number(running);
    put_text("\n");
}

static void on_assert(const char *file, int line, const char *what)
{
    put_text("\n");
    put_text(file);
    put_text(":");
    put_number((uint64_t)line);
    put_text(": does not hold: ");
    put_text(what);
    last_words("an assertion failed");
}

static void on_signal(int number)
{
    last_words(number == SIGALRM ? "it hangs" : "it crashed");
    (void)signal(number, SIG_DFL);
    (void)raise(number == SIGALRM ? SIGABRT : number);
}

static void on_sanitizer(void)
{
    last_words("a sanitizer stopped it");
}

/* There only in a build with sanitizers, which then report crashes themselves. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void listen_for_ends(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

    wf_set_last_words(on_assert);
    (void)signal(SIGALRM, on_signal);
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(on_sanitizer);
        return;
    }
    for (size_t i = 0; i < WF_ARRAY_LEN(crashes); i++) {
        (void)signal(crashes[i], on_signal);
    }
}

/* --- one seed --- */

static void print_failure(const struct sim_report *r, uint64_t seed, const char *name)
{
    printf("seed %" PRIu64 "%s%s: %s\n", seed, name[0] == '\0' ? "" : ", ", name, r->failure);
    printf("  at %" PRIu64 ".%06" PRIu64 " s\n  again: make sim SEED=%" PRIu64 "\n",
           r->failed_at / 1000000, r->failed_at % 1000000, seed);
    (void)fflush(stdout);
}

static void print_classes(uint64_t classes)
{
    for (unsigned i = 0; i < SIM_CLASSES; i++) {
        if ((classes >> i & 1u) != 0) {
            printf(" %s", sim_class_texts[i].word);
        }
    }
    printf("\n");
}

static void print_summary(const struct sim_report *r, uint64_t seed)
{
    printf("seed %" PRIu64 ": %s\n", seed, r->failed ? "FAILED" : "passed");
    printf("  hosts     %u %s%s\n", (unsigned)r->host_count,
           r->peers ? "peers" : "(a server and its clients)",
           r->soft ? ", mild: everything must arrive" : "");
    printf("  on       ");
    print_classes(r->classes);
    printf("  messages  %" PRIu64 " begun; replies and they: %" PRIu64 " delivered, %" PRIu64
           " replied to, %" PRIu64 " failed, %" PRIu64 " expired, %" PRIu64 " unknown\n",
           r->messages, r->outcomes[WF_OUTCOME_DELIVERED], r->outcomes[WF_OUTCOME_REPLIED],
           r->outcomes[WF_OUTCOME_FAILED], r->outcomes[WF_OUTCOME_EXPIRED],
           r->outcomes[WF_OUTCOME_UNKNOWN]);
    printf("  sessions  %" PRIu64 " stood, %" PRIu64 " ended; %" PRIu64 " bytes delivered\n",
           r->sessions, r->session_ends, r->delivered_bytes);
    printf("  network   %" PRIu64 " datagrams, %" PRIu64 " of them the attacker's; %" PRIu64
           " sealed, %" PRIu64 " with a lie\n",
           r->datagrams, r->attacks, r->seals, r->lies);
    printf("  time      %" PRIu64 ".%06" PRIu64 " s in %" PRIu64 " events\n", r->ended_at / 1000000,
           r->ended_at % 1000000, r->events);
    printf("  hash      %016" PRIx64 "\n", r->hash);
}

/* True when it passed. */
static bool run_seed(const struct arguments *a, uint64_t seed, const char *name)
{
    const struct sim_options options = {
        .seed = seed, .without = a->without, .text = a->verbose ? stdout : NULL};
    struct sim_report r;

    running = seed;
    (void)alarm(SEED_SECONDS_MAX);
    sim_run(&options, &r);
    (void)alarm(0);
    if (a->hash) {
        printf("%" PRIu64 " %016" PRIx64 "\n", seed, r.hash);
    } else if (a->has_seed) {
        print_summary(&r, seed);
    }
    if (r.failed) {
        print_failure(&r, seed, name);
    }
    return !r.failed;
}

/* --- many --- */

static void show_progress(const struct arguments *a, uint64_t done)
{
    if (isatty(STDERR_FILENO) && done % 16 == 0) {
        (void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " seeds", done, a->count);
    }
}

static bool is_asked_for(const struct arguments *a, uint64_t seed)
{
    static struct sim_scenario plan;

    if (a->only == 0)
        return true;
    sim_scenario_draw(&plan, seed, a->without);
    return (plan.classes & a->only) == a->only;
}

/* Seeds from + first, from + first + step, ...: the number that failed, at most 255. */
static unsigned run_share(const struct arguments *a, uint64_t first, uint64_t step)
{
    unsigned failed = 0;
    bool goes_on = true;

    for (uint64_t i = first; i < a->count && goes_on; i += step) {
        const bool passed = !is_asked_for(a, a->from + i) || run_seed(a, a->from + i, "");

        failed += !passed && failed < UINT8_MAX;
        goes_on = passed || a->keep_going;
        if (first == 0) {
            show_progress(a, i);
        }
    }
    return failed;
}

/* Waits for a child: true when all of its seeds passed. */
static bool reap(void)
{
    int status = 0;
    pid_t pid = 0;

    do {
        pid = wait(&status);
    } while (pid < 0 && errno == EINTR);
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool run_jobs(const struct arguments *a)
{
    bool passed = true;
    unsigned started = 0;

    (void)fflush(NULL);
    for (; started < a->jobs; started++) {
        const pid_t pid = fork();

        if (pid == 0) {
            const unsigned failed = run_share(a, started, a->jobs);

            (void)fflush(NULL);
            _exit(failed == 0 ? 0 : 1);
        }
        if (pid < 0) {
            perror("weft-sim: fork");
            passed = false;
            break;
        }
    }
    while (started-- > 0) {
        passed &= reap();
    }
    return passed;
}

static bool run_many(const struct arguments *a)
{
    const bool passed = a->jobs > 1 ? run_jobs(a) : run_share(a, 0, 1) == 0;

    if (!a->hash) {
        if (isatty(STDERR_FILENO)) {
            (void)fprintf(stderr, "\r");
        }
        printf("%" PRIu64 " seeds from %" PRIu64 ": %s\n", a->count, a->from,
               passed ? "all passed" : "FAILED");
    }
    return passed;
}

/* Lines "SEED what it found"; empty ones and those that begin with # are skipped. */
static bool run_regressions(const struct arguments *a)
{
    FILE *file = fopen(a->regressions, "r");
    char line[LINE_MAX_LEN];
    uint64_t count = 0;
    bool passed = true;

    if (file == NULL) {
        perror(a->regressions);
        return false;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        char *name = NULL;
        const uint64_t seed = strtoull(line, &name, 10);

        if (name == line)
            continue;
        name[strcspn(name, "\n")] = '\0';
        passed &= run_seed(a, seed, name + strspn(name, " \t"));
        count++;
    }
    (void)fclose(file);
    printf("%" PRIu64 " regressions: %s\n", count, passed ? "all passed" : "FAILED");
    return passed;
}

static void list_classes(void)
{
    for (unsigned i = 0; i < SIM_CLASSES; i++) {
        printf("%-13s in %2u of 100 seeds: %s\n", sim_class_texts[i].word,
               sim_class_texts[i].percent, sim_class_texts[i].text);
    }
}

/* --- arguments --- */

static uint64_t number_of(const char *text)
{
    char *end = NULL;

    errno = 0;

    const uint64_t v = text == NULL ? 0 : strtoull(text, &end, 10);

    if (text == NULL || end == text || *end != '\0' || errno != 0) {
        (void)fprintf(stderr, "weft-sim: a number is needed, not \"%s\"\n",
                      text == NULL ? "" : text);
        exit(2);
    }
    return v;
}

static uint64_t class_of(const char *word)
{
    const enum sim_class class = word == NULL ? SIM_CLASSES : sim_class_find(word);

    if (class == SIM_CLASSES) {
        (void)fprintf(stderr, "weft-sim: no class \"%s\"; see --list\n", word == NULL ? "" : word);
        exit(2);
    }
    return (uint64_t)1 << class;
}

/* Options with a value; false when it is none of them. */
static bool parse_valued(struct arguments *a, const char *option, const char *value)
{
    if (strcmp(option, "--seed") == 0) {
        a->seed = number_of(value);
        a->has_seed = true;
    } else if (strcmp(option, "--seeds") == 0) {
        a->count = number_of(value);
    } else if (strcmp(option, "--from") == 0) {
        a->from = number_of(value);
    } else if (strcmp(option, "--jobs") == 0) {
        const uint64_t jobs = number_of(value);

        a->jobs = jobs > JOBS_MAX ? JOBS_MAX : (unsigned)jobs;
    } else if (strcmp(option, "--without") == 0) {
        a->without |= class_of(value);
    } else if (strcmp(option, "--only") == 0) {
        a->only |= class_of(value);
    } else if (strcmp(option, "--regressions") == 0 && value != NULL) {
        a->regressions = value;
    } else {
        return false;
    }
    return true;
}

static bool parse_flag(struct arguments *a, const char *option)
{
    if (strcmp(option, "--hash") == 0) {
        a->hash = true;
    } else if (strcmp(option, "--verbose") == 0) {
        a->verbose = true;
    } else if (strcmp(option, "--keep-going") == 0) {
        a->keep_going = true;
    } else if (strcmp(option, "--list") == 0) {
        a->list = true;
    } else {
        return false;
    }
    return true;
}

static struct arguments parse(int argc, char **argv)
{
    struct arguments a = {.from = 1, .jobs = 1};

    for (int i = 1; i < argc; i++) {
        if (parse_flag(&a, argv[i]))
            continue;
        if (!parse_valued(&a, argv[i], i + 1 < argc ? argv[i + 1] : NULL)) {
            const bool asked = strcmp(argv[i], "--help") == 0;

            (void)fputs(usage, asked ? stdout : stderr);
            exit(asked ? 0 : 2);
        }
        i++;
    }
    return a;
}

int main(int argc, char **argv)
{
    const struct arguments a = parse(argc, argv);
    bool passed = true;

    if (a.list) {
        list_classes();
        return 0;
    }
    if (!a.has_seed && a.count == 0 && a.regressions == NULL) {
        (void)fputs(usage, stderr);
        return 2;
    }
    if (wf_crypto_init() != WEFT_OK) {
        (void)fputs("weft-sim: the crypto libraries do not start\n", stderr);
        return 1;
    }
    listen_for_ends();
    if (a.verbose) {
        (void)setvbuf(stdout, NULL, _IOLBF, 0); /* nothing is lost when it crashes */
    }
    if (a.has_seed) {
        passed &= run_seed(&a, a.seed, "");
    }
    if (a.regressions != NULL) {
        passed &= run_regressions(&a);
    }
    if (a.count > 0) {
        passed &= run_many(&a);
    }
    return passed ? 0 : 1;
}
