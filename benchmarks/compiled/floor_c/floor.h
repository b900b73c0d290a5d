/* Values and gradients by hand: what the machine could do, were there no library between it and the program.
 *
 * Each function takes its inputs, then one array for each gradient, and returns the value. Loops run over blocks that
 * stay in the first cache, one elementary function at a time, so that the C compiler finds vectors in them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 32 };

static inline long shorter(long n, long m) { return n < m ? n : m; }
