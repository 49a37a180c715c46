package io.vmm4j.cli;

import java.io.ByteArrayOutputStream;

/**
 * Takes the escapes out of what a user types: Ctrl-A x ends the machine, Ctrl-A Ctrl-A (or Ctrl-A
 * a) is one Ctrl-A for the guest. Anything else after Ctrl-A goes to the guest along with it.
 */
final class EscapeFilter {
  private static final int CTRL_A = 1;

  private final Runnable onEnd;
  private boolean escaped;

  EscapeFilter(Runnable onEnd) {
    this.onEnd = onEnd;
  }

  /** What of the first {@code count} bytes is for the guest. */
  byte[] filter(byte[] typed, int count) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(count);
    for (int i = 0; i < count; i++) {
      int b = typed[i];
      if (!escaped) {
        escaped = b == CTRL_A;
        if (!escaped) {
          out.write(b);
        }
        continue;
      }
      escaped = false;
      switch (b) {
        case 'x' -> onEnd.run();
        case 'a', CTRL_A -> out.write(CTRL_A);
        default -> {
          out.write(CTRL_A);
          out.write(b);
        }
      }
    }
    return out.toByteArray();
  }
}
