package io.vmm4j.api;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * The host's end of a guest's console. The transcript is kept from byte 0, up to a bound; the
 * <em>position</em> is how far {@code expect} has read: each expectation looks for the first match
 * after the one before. Safe for any thread; expectations of several threads share the position.
 */
public interface Console {

  /** The path of its device. */
  String path();

  /** All that the guest has written, as ISO-8859-1 or UTF-8 where it is valid. */
  String transcript();

  /** All that the guest has written. Its beginning is missing once the bound is exceeded. */
  byte[] transcriptBytes();

  /** How many bytes the guest has written, including those beyond the bound. */
  long bytesWritten();

  /**
   * Waits for a text after the position and moves the position behind it.
   *
   * @throws ConsoleExpectationException if it does not come in time, or the machine ends first
   */
  ConsoleMatch expect(String literal, Duration timeout);

  /** Waits for a match of a pattern after the position. */
  ConsoleMatch expect(Pattern pattern, Duration timeout);

  /** Waits for whichever of several patterns matches first (the earliest in the transcript). */
  ConsoleMatch expectAny(Duration timeout, Pattern... patterns);

  /** Sends text to the guest as UTF-8. Never blocks: it waits until the guest takes it. */
  void send(String text);

  /** Sends text and a line feed. */
  default void sendLine(String line) {
    send(line + "\n");
  }

  /** Sends bytes to the guest. */
  void send(byte[] bytes);

  /**
   * How many bytes that were sent the guest has not taken yet. They are kept without a bound, so
   * whoever passes on input that others write waits while this is large.
   */
  int pendingInputBytes();

  /**
   * Calls a listener with every piece of output from now on, beginning with all of the transcript.
   * It is called in order, by one thread at a time, and must not block for long.
   *
   * @return removes the listener
   */
  AutoCloseable onOutput(Consumer<byte[]> listener);
}
