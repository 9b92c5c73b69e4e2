/*
 * decode.h: what a decoder does with its one picture: jail, decode, answer, end.
 */
#ifndef SLUICE_WORKER_DECODE_H
#define SLUICE_WORKER_DECODE_H

#include "worker/wire.h"

/*
 * For a child just forked by the zygote (whose pid is parent): in is the picture, out the pipe for
 * the reply. Ends the process.
 */
void decode_main(const struct wire_job *job, int in, int out, pid_t parent) NO_RETURN;

/* Proves in a child that the sandbox can be set up on this machine. 0, or -1 with what is missing. */
MUST_CHECK int decode_check(struct err *e);

#endif
