// Ctrl-C and a scheduler's SIGTERM: long loops ask `interrupted()` where they can continue later.
#pragma once

namespace serval {

void install_interrupt_handlers();  // SIGINT, SIGTERM, SIGUSR1; a second SIGINT ends the process at once
bool interrupted();
void check_interrupted();         // throws InterruptedError
void request_interrupt(bool on);  // what the handlers do; for tests
void request_stop(
    bool on);  // the same by the program itself, which can take it back and leaves signals alone

}  // namespace serval
