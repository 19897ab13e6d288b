/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bar.c - a progress bar on the terminal, ten times a second at most.
 */
#include <string.h>
#include <unistd.h>

#include "common/app.h"

#define BAR_CELLS 24
#define BAR_EVERY_MS 100

void app_bar_init(struct app_bar *b, const struct app *a)
{
    *b = (struct app_bar){.is_on = isatty(STDERR_FILENO) != 0 && !a->quiet && !a->json,
                          .started_ms = app_now_ms()};
}

void app_bar_show(struct app_bar *b, const char *name, uint64_t done, uint64_t size)
{
    uint64_t now = app_now_ms();
    uint64_t spent = now - b->started_ms;
    char cells[BAR_CELLS + 1];
    size_t full = size == 0 ? BAR_CELLS : (size_t)((double)done / (double)size * BAR_CELLS);

    if (!b->is_on || (now - b->last_ms < BAR_EVERY_MS && done < size))
        return;
    b->last_ms = now;
    memset(cells, ' ', BAR_CELLS);
    memset(cells, '#', full > BAR_CELLS ? BAR_CELLS : full);
    cells[BAR_CELLS] = '\0';
    (void)fprintf(stderr, "\r\033[K%.40s [%s] %s of %s, %s/s", name, cells, app_size_text(done),
                  app_size_text(size), app_size_text(spent == 0 ? 0 : done * 1000 / spent));
    (void)fflush(stderr);
}

void app_bar_clear(struct app_bar *b)
{
    if (b->is_on && b->last_ms > 0)
        (void)fputs("\r\033[K", stderr);
    b->last_ms = 0;
}
