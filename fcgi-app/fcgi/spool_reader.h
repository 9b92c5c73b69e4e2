/*
 * spool_reader.h: the process that reads the bodies while the web server spools them: hashes what
 * has arrived (ahead.h) and has it written to disk, so that little is left to do at the hand-off.
 */
#ifndef SLUICE_FCGI_SPOOL_READER_H
#define SLUICE_FCGI_SPOOL_READER_H

#include "data/conf.h"
#include "fcgi/ahead.h"

/*
 * Follows the files directly in [store] spool until TERM, QUIT or INT. Sleeps while nothing is
 * written there. Returns the exit code: 0, or 75 when it cannot watch the directory (any more).
 */
int spool_reader_run(const struct conf *conf, struct ahead *ahead);

#endif
