/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_plot.c - goodput over time as a picture: one line for each flow, SVG written by hand.
 */
#include <inttypes.h>

#include "sim/lab.h"

#define WIDTH 900
#define HEIGHT 360
#define LEFT 60
#define BOTTOM 40
#define TOP 30
#define POINTS_MAX 450u

static const char *const colours[] = {"#1f77b4", "#d62728", "#2ca02c", "#ff7f0e",
                                      "#9467bd", "#8c564b", "#17becf", "#7f7f7f"};

/* Buckets that one point stands for. */
static size_t stride_of(const struct lab_figures *r)
{
    return (r->bucket_count + POINTS_MAX - 1) / POINTS_MAX;
}

/* Bits a second of the point that begins with this bucket. */
static uint64_t rate_at(const struct lab_figures *r, size_t flow, size_t bucket)
{
    const size_t stride = stride_of(r);

    return lab_goodput(r, flow, bucket * LAB_BUCKET_US, (bucket + stride) * LAB_BUCKET_US);
}

static uint64_t highest(const struct lab_figures *r)
{
    uint64_t max = 1;

    for (size_t i = 0; i < r->flow_count; i++) {
        for (size_t b = 0; b < r->bucket_count; b += stride_of(r)) {
            const uint64_t rate = rate_at(r, i, b);

            max = rate > max ? rate : max;
        }
    }
    return max;
}

static void plot_flow(FILE *f, const struct lab_figures *r, size_t flow, uint64_t max)
{
    const char *colour = colours[flow % WF_ARRAY_LEN(colours)];

    fprintf(f, "<polyline fill=\"none\" stroke=\"%s\" points=\"", colour);
    for (size_t b = 0; b < r->bucket_count; b += stride_of(r)) {
        const uint64_t x = LEFT + (WIDTH - LEFT - 10) * b / r->bucket_count;
        const uint64_t y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * rate_at(r, flow, b) / max;

        fprintf(f, "%" PRIu64 ",%" PRIu64 " ", x, y);
    }
    fprintf(f, "\"/>\n<text x=\"%zu\" y=\"20\" fill=\"%s\">flow %zu</text>\n",
            (size_t)LEFT + 60 * flow, colour, flow + 1);
}

void lab_plot(FILE *f, const struct lab_scenario *s, const struct lab_figures *r)
{
    const uint64_t max = highest(r);

    fprintf(f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\" font-size=\"12\">\n"
            "<title>%s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
            "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"black\"/>\n",
            WIDTH, HEIGHT, s->name, LEFT, TOP, HEIGHT - BOTTOM, WIDTH - 10);
    fprintf(f,
            "<text x=\"5\" y=\"%d\">%.1f</text>\n<text x=\"5\" y=\"%d\">Mbit/s</text>\n"
            "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.1f s</text>\n",
            TOP + 5, (double)max / 1e6, TOP + 20, WIDTH - 10, HEIGHT - BOTTOM + 18,
            (double)r->ended_us / 1e6);
    for (size_t i = 0; i < r->flow_count; i++) {
        plot_flow(f, r, i, max);
    }
    fputs("</svg>\n", f);
}
