package io.vmm4j.api;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * The host's end of a guest's console. The transcript is kept from byte 0, up to a bound; the
 * <em>position</em> is how far {@code expect} has read: each expectation looks for the first match
 * after the one before. Safe for any thread; expectations of several threads share the position.
 *
 * <p><b>Snapshots.</b> The transcript, the position and the input that waits are part of the
 * machine's state. After {@link Vm#restore}, and in a machine that was resumed or forked, they are
 * those of the snapshot: what was written or sent after it is gone. A snapshot holds 16 MiB of
 * transcripts at most; if those of all consoles are longer, each keeps an equal share of its end. A
 * snapshot written before it held consoles has empty ones. Listeners belong to the host: see {@link
 * #onOutput(Consumer)}.
 */
public interface Console {

  /** Returns the path of its device. */
  String path();

  /** Returns all that the guest has written, as ISO-8859-1 or UTF-8 where it is valid. */
  String transcript();

  /**
   * Returns all that the guest has written. Its beginning is missing once the bound is exceeded.
   */
  byte[] transcriptBytes();

  /**
   * Returns how many bytes the guest has written since the machine was first started, those beyond
   * the bound and those before a snapshot among them.
   */
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

  /** Sends text to the guest as UTF-8, as {@link #send(byte[])} does. */
  void send(String text);

  /** Sends text and a line feed. */
  default void sendLine(String line) {
    send(Objects.requireNonNull(line, "line") + "\n");
  }

  /**
   * Sends bytes to the guest. They wait in a buffer until the guest takes them. It holds 256 KiB
   * (less on a machine of more than 64 consoles); while it is full, this waits as long as the guest
   * takes some. What several threads send is not mixed.
   *
   * @throws ConsoleInputException if the guest takes nothing for 30 seconds, the thread is
   *     interrupted, or the machine is restored meanwhile; it has the number of bytes sent. On a
   *     thread of the machine itself, which can't wait, if there is no room
   * @throws VmStoppedException if the machine has ended
   */
  void send(byte[] bytes);

  /**
   * Sends bytes to the guest within a time: until then all of them are in the buffer.
   *
   * @param timeout how long to wait for room; zero sends what there is room for
   * @throws ConsoleInputException if the time is over first, or as in {@link #send(byte[])}
   * @throws VmStoppedException if the machine has ended
   */
  void send(byte[] bytes, Duration timeout);

  /**
   * Sends as many bytes as there is room for. Never waits; for a thread that passes on what others
   * write, and may not wait.
   *
   * @param offset the first byte to send
   * @param length how many to send at most
   * @return how many were sent, 0 to {@code length}; 0 while another thread sends
   * @throws VmStoppedException if the machine has ended
   */
  int offer(byte[] bytes, int offset, int length);

  /** Returns how many bytes that were sent the guest has not taken yet. */
  int pendingInputBytes();

  /**
   * Calls a listener with every piece of output, in order, beginning with all of the transcript. It
   * is called by one thread at a time and must not block for long. It hears each byte that the
   * guest writes once: when the machine is restored it has had, or gets, what was written before,
   * goes on with what is written afterwards, and does not hear the snapshot's transcript.
   *
   * @return removes the listener
   */
  AutoCloseable onOutput(Consumer<byte[]> listener);

  /**
   * The same, but beginning at a position. {@code onOutput(bytesWritten(), listener)} of a paused
   * machine hears only what comes from now on.
   *
   * @param from the position of the first byte, counted like {@link #bytesWritten}; where the
   *     transcript begins later, from there
   * @return removes the listener
   */
  AutoCloseable onOutput(long from, Consumer<byte[]> listener);
}
