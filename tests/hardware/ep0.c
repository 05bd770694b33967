/* ep0 FD SOCKET: the control endpoint of a gadgetfs device, for usbcam.py.
 *
 * gadgetfs completes the data stage of an OUT request before it reports the request itself, so the next request may
 * overtake a slow reader: this one fetches each at once, passes it on, and waits until it has been answered.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum { EVENT = 12, TYPE = 8, SETUP = 3, LENGTH = 6, TO_HOST = 0x80, LONGEST = 256 };

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int device = atoi(argv[1]), program = atoi(argv[2]);
    unsigned char event[EVENT + LONGEST], answered;
    struct sched_param first = {20};
    sched_setscheduler(0, SCHED_FIFO, &first);
    for (;;) {
        ssize_t data = 0, got = read(device, event, EVENT);
        if (got != EVENT) {
            if (errno == ESHUTDOWN || errno == EBADF) return 1;
            continue;
        }
        int setup = event[TYPE] == SETUP, carries = setup && !(event[0] & TO_HOST) && event[LENGTH];
        if (carries && (data = read(device, event + EVENT, event[LENGTH])) < 0) continue;
        if (write(program, event, EVENT + data) < 0) return 1;
        if (setup && !carries && read(program, &answered, 1) != 1) return 1;
    }
}
