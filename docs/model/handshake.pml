/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state machines of the handshake (docs/spec/1-handshake.md, 1.2 to 1.4 and 1.6) for SPIN: one client, one server
 * that may restart, one message to deliver.
 *
 * The network holds every packet that was ever sent and may hand over any of them at any moment, any number of times, in
 * any order, or never. That covers loss, duplication, reordering, delay and an attacker who replays; what he would
 * forge is the business of handshake.pvm. Refusals that leave no trace (price, full queue, full table) are packets not
 * handed over.
 *
 * Run:  spin -a handshake.pml && cc -O2 -DSAFETY -o pan pan.c && ./pan -m200000       (tools/check-model.sh does)
 * With one of the faults below switched on an assertion must fail; so it must with each REACH_..., which denies that an
 * end can be reached.
 *   -DFORGET        the table forgets a solved cookie before the cookie is refused
 *   -DSHARED        cookie secrets survive a restart
 *   -DRESEND        a SOLVE that carried the message is made again under another cookie
 */
#define ATTEMPTS 3 /* HELLOs that the client may make */
#define LIVES 2    /* of the server: it may restart once */
#define ID(a, l) ((a) * LIVES + (l))

/* The states and the ways between them are those of the code: tools/check-model.py compares these lines with the tables
 * `legal` of src/session/hs.c and adm_table.c.
 *
 * LEGAL hs WF_HS_HELLO -> WF_HS_NEED_DATA WF_HS_FAILED
 * LEGAL hs WF_HS_NEED_DATA -> WF_HS_WORKING WF_HS_FAILED
 * LEGAL hs WF_HS_WORKING -> WF_HS_SOLVE WF_HS_FAILED
 * LEGAL hs WF_HS_SOLVE -> WF_HS_WORKING WF_HS_DONE WF_HS_FAILED
 * LEGAL adm_table WF_ADM_ENTRY_FREE -> WF_ADM_ENTRY_TRIED
 * LEGAL adm_table WF_ADM_ENTRY_TRIED -> WF_ADM_ENTRY_PENDING WF_ADM_ENTRY_FREE
 * LEGAL adm_table WF_ADM_ENTRY_PENDING -> WF_ADM_ENTRY_KEPT WF_ADM_ENTRY_DONE
 * LEGAL adm_table WF_ADM_ENTRY_KEPT -> WF_ADM_ENTRY_DONE
 * LEGAL adm_table WF_ADM_ENTRY_DONE -> WF_ADM_ENTRY_FREE
 */
mtype = { HELLO, NEED_DATA, WORKING, SOLVE, DONE, FAILED };         /* client */
mtype = { E_FREE, E_TRIED, E_PENDING, E_KEPT, E_DONE };             /* solved cookie */
mtype = { NO_OUTCOME, O_DELIVERED, O_FAILED, O_UNKNOWN };           /* of the message */

/* --- packets that were sent --- */
bit hello[ATTEMPTS];
bit challenge[6];  /* by ID(attempt, life) */
bit solve[6];
bit confirm[6];
bit carries[6];    /* this SOLVE carries the message */

/* --- server --- */
byte life;
mtype entry[ATTEMPTS] = E_FREE; /* of the present life, by the attempt that its cookie covers */
bit dead[6];                    /* the cookie is refused for its age */
byte sessions[6];               /* made from this SOLVE */
byte delivered;                 /* how often the application was given the message */

/* --- client --- */
mtype hs = HELLO;
byte attempt;
byte with;         /* the life that the CHALLENGE came from */
bit work_asked;
bit maybe_sent;    /* the message may have arrived */
mtype outcome = NO_OUTCOME;

inline check()
{
    assert(delivered <= 1);
    assert(outcome != O_FAILED || delivered == 0);
    assert(outcome != O_DELIVERED || delivered == 1);
}

inline deliver()
{
    delivered++;
    check();
}

/* SPEC 1.3-3, 1.3-5: the first SOLVE that opens makes the session; everything later is a duplicate. */
inline take_solve(a, l)
{
    entry[a] = E_TRIED;
    entry[a] = E_PENDING;
    sessions[ID(a, l)]++;
    assert(sessions[ID(a, l)] <= 1);
    if
    :: carries[ID(a, l)] -> deliver()
    :: else
    fi
}

inline restart()
{
    life++;
    for (i : 0 .. ATTEMPTS - 1) { entry[i] = E_FREE }
}

active proctype Server()
{
    byte a;
    byte l;
    byte i;

    do
    :: atomic {
       select(a : 0 .. ATTEMPTS - 1);
       select(l : 0 .. LIVES - 1);
       if
       /* SPEC 1.1-2: a HELLO changes nothing here. */
       :: hello[a] && !challenge[ID(a, life)] -> challenge[ID(a, life)] = 1
#ifdef SHARED
       :: solve[ID(a, l)] && !dead[ID(a, l)] && entry[a] == E_FREE -> take_solve(a, l)
#else
       :: l == life && solve[ID(a, l)] && !dead[ID(a, l)] && entry[a] == E_FREE -> take_solve(a, l)
#endif
       /* SPEC 1.13-2: a SOLVE of another life is answered as its HELLO would be. */
       :: l != life && solve[ID(a, l)] && !challenge[ID(a, life)] -> challenge[ID(a, life)] = 1
       :: entry[a] == E_PENDING -> confirm[ID(a, life)] = 1; entry[a] = E_KEPT
       :: entry[a] == E_PENDING -> entry[a] = E_DONE  /* refused, or the owner forgot it */
       :: entry[a] == E_KEPT -> entry[a] = E_DONE     /* 10 s, or the pool is full */
       /* SPEC 1.2-6: the epoch dies, for the cookie and for its entry at once */
       :: !dead[ID(a, life)] && entry[a] != E_PENDING -> dead[ID(a, life)] = 1; entry[a] = E_FREE
#ifdef FORGET
       :: entry[a] == E_DONE -> entry[a] = E_FREE
#endif
       :: life + 1 < LIVES -> restart()
       :: else
       fi;
       a = 0;
       l = 0 }
    :: outcome != NO_OUTCOME && hs == FAILED -> break
    :: outcome != NO_OUTCOME && hs == DONE -> break
    od
}

inline fail()
{
    hs = FAILED;
    if
    :: maybe_sent -> outcome = O_UNKNOWN
    :: else -> outcome = O_FAILED
    fi;
    check()
}

inline begin_again()
{
    attempt++;
    hs = HELLO;
    hello[attempt] = 1
}

inline make_solve(l)
{
    with = l;
    hs = NEED_DATA;
    hs = WORKING;
    hs = SOLVE;
    /* SPEC 1.9-1: while work is asked SOLVE carries no message */
    carries[ID(attempt, with)] = !work_asked && !maybe_sent;
    solve[ID(attempt, with)] = 1;
    if
    :: carries[ID(attempt, with)] -> maybe_sent = 1
    :: else
    fi
}

active proctype Client()
{
    byte l;
    bit has_sent;

    atomic { if :: work_asked = 0 :: work_asked = 1 fi; hello[0] = 1 };
    do
    :: hs == HELLO ->
       atomic {
       select(l : 0 .. LIVES - 1);
       if
       :: challenge[ID(attempt, l)] -> make_solve(l)
       :: fail()                                     /* its time is up */
       :: skip                                       /* HELLO again */
       fi;
       l = 0 }
    :: hs == SOLVE ->
       if
       :: atomic { confirm[ID(attempt, with)] ->
            assert(sessions[ID(attempt, with)] == 1);
            hs = DONE;
            has_sent = carries[ID(attempt, with)] }
#ifdef RESEND
       :: atomic { attempt + 1 < ATTEMPTS -> maybe_sent = 0; begin_again() }
#else
       :: atomic { attempt + 1 < ATTEMPTS && !carries[ID(attempt, with)] -> begin_again() }
#endif
       /* SPEC 1.13-8: another instance is there, and nothing went with SOLVE. */
       :: atomic { life != with && challenge[ID(attempt, life)] && !carries[ID(attempt, with)] ->
            hs = WORKING;
            with = life;
            hs = SOLVE;
            solve[ID(attempt, with)] = 1 }
       :: atomic { fail() }
       :: true                                       /* SOLVE again */
       fi
    :: hs == DONE && outcome == NO_OUTCOME ->
       if
       /* in the session, while the server still has it */
       :: atomic { !has_sent && life == with -> maybe_sent = 1; has_sent = 1; deliver() }
       :: atomic { !has_sent && life == with -> maybe_sent = 1; has_sent = 1 }    /* and is lost for ever */
       :: atomic { has_sent && delivered == 1 && life == with -> outcome = O_DELIVERED; check() }
       /* SPEC 1.6-2: a HINT from a server that lost the session: another handshake beside the old session, which
        * goes only when the new one stands. Here only what was never sent moves on. */
       :: atomic { life != with && !has_sent && !maybe_sent && attempt + 1 < ATTEMPTS -> begin_again() }
       :: atomic { true -> if :: maybe_sent -> outcome = O_UNKNOWN :: else -> outcome = O_FAILED fi; check() }
       fi
    :: hs == FAILED || outcome != NO_OUTCOME -> break
    od;
#ifdef REACH_DELIVERED
    assert(outcome != O_DELIVERED);
#endif
#ifdef REACH_RESTARTED
    assert(!(outcome == O_DELIVERED && life == 1 && attempt == 2));
#endif
#ifdef REACH_FAILED
    assert(outcome != O_FAILED);
#endif
#ifdef REACH_UNKNOWN
    assert(!(outcome == O_UNKNOWN && delivered == 1));
#endif
}
