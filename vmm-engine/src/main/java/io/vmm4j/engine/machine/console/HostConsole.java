package io.vmm4j.engine.machine.console;

import io.vmm4j.api.Console;
import io.vmm4j.api.ConsoleExpectationException;
import io.vmm4j.api.ConsoleMatch;
import io.vmm4j.api.VmException;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmStoppedException;
import io.vmm4j.api.device.ByteChannelEndpoint;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A console: the transcript of what the guest has written, and the queue of what the host sends.
 *
 * <p>It has a lock of its own, under the machine lock: a device calls in with the machine lock
 * held; nothing in here takes the machine lock while it holds its own.
 */
public final class HostConsole implements Console {
  /** How long a waiter lets output gather before it looks: a guest writes byte by byte. */
  private static final long GATHER_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** A waiter rests this many times as long as a look takes, so that it costs a tenth of a core. */
  private static final int REST_FACTOR = 9;

  private static final int LAST_LINES = 12;
  private static final int LAST_BYTES = 4096;

  private final String path;
  private final ConsoleOwner owner;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Condition ending = lock.newCondition();
  private final Transcript transcript;
  private final Queue<Byte> input = new ArrayDeque<>();
  private final OutputListeners listeners;
  private long position;
  private boolean awaited;
  private @Nullable Runnable onReceivable;
  private @Nullable VmExit exit;

  /**
   * A console of a device.
   *
   * @param limitBytes how much of the transcript is kept
   */
  public HostConsole(String path, int limitBytes, ConsoleOwner owner) {
    this.path = path;
    this.owner = owner;
    this.transcript = new Transcript(limitBytes);
    this.listeners = new OutputListeners(this, "vmm-" + owner.name() + "-console-" + path);
  }

  // ---- the device's end ----

  /** The device's end. */
  public ByteChannelEndpoint endpoint() {
    return new Endpoint();
  }

  private final class Endpoint implements ByteChannelEndpoint {
    @Override
    public void transmit(int value) {
      lock.lock();
      try {
        transcript.append(value);
        if (awaited) {
          awaited = false;
          changed.signalAll();
        }
      } finally {
        lock.unlock();
      }
    }

    @Override
    public int available() {
      lock.lock();
      try {
        return input.size();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public int receive() {
      lock.lock();
      try {
        Byte next = input.poll();
        return next == null ? -1 : next & 0xFF;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void onReceivable(Runnable listener) {
      lock.lock();
      try {
        onReceivable = listener;
      } finally {
        lock.unlock();
      }
      announceInput();
    }
  }

  /** Tells the device of input that waits, if any does: after it was attached or restored. */
  public void announceInput() {
    Runnable listener;
    lock.lock();
    try {
      listener = input.isEmpty() ? null : onReceivable;
    } finally {
      lock.unlock();
    }
    if (listener != null) {
      owner.execute(path, listener);
    }
  }

  // ---- the machine's end ----

  /** The machine has ended: expectations that wait fail now. */
  public void end(VmExit how) {
    lock.lock();
    try {
      if (exit == null) {
        exit = how;
      }
      changed.signalAll();
      ending.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until the listeners have had all output. After {@link #end}. */
  public void close() {
    listeners.close();
  }

  // ---- the host's end ----

  @Override
  public String path() {
    return path;
  }

  @Override
  public String transcript() {
    return new ConsoleText(transcriptBytes()).text();
  }

  @Override
  public byte[] transcriptBytes() {
    return output(0).bytes();
  }

  @Override
  public long bytesWritten() {
    lock.lock();
    try {
      return transcript.end();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void send(String text) {
    send(text.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void send(byte[] bytes) {
    lock.lock();
    try {
      if (exit != null) {
        throw new VmStoppedException("send to console '" + path + "'", exit);
      }
      for (byte b : bytes) {
        input.add(b);
      }
    } finally {
      lock.unlock();
    }
    announceInput();
  }

  @Override
  public int pendingInputBytes() {
    lock.lock();
    try {
      return input.size();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public AutoCloseable onOutput(Consumer<byte[]> listener) {
    return listeners.add(listener);
  }

  @Override
  public ConsoleMatch expect(String literal, Duration timeout) {
    String awaitedText = "\"" + literal + "\"";
    return await(awaitedText, timeout, Pattern.compile(literal, Pattern.LITERAL));
  }

  @Override
  public ConsoleMatch expect(Pattern pattern, Duration timeout) {
    return await("/" + pattern + "/", timeout, pattern);
  }

  @Override
  public ConsoleMatch expectAny(Duration timeout, Pattern... patterns) {
    if (patterns.length == 0) {
      throw new IllegalArgumentException("no pattern to expect");
    }
    String names =
        Arrays.stream(patterns).map(p -> "/" + p + "/").collect(Collectors.joining(" or "));
    return await(names, timeout, patterns);
  }

  // ---- waiting ----

  /**
   * Output from a position on.
   *
   * @param from the position of the first byte, later than asked for if some is no longer kept
   */
  record Output(long from, byte[] bytes) {
    long end() {
      return from + bytes.length;
    }
  }

  private Output output(long from) {
    lock.lock();
    try {
      return new Output(Math.max(from, transcript.start()), transcript.from(from));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until there is output behind a position, or the machine has ended, or the time is over.
   *
   * @return the output; empty if there is none
   */
  Output awaitOutput(long after, long deadlineNanos) throws InterruptedException {
    lock.lock();
    try {
      while (transcript.end() <= after && exit == null) {
        long left = deadlineNanos - System.nanoTime();
        if (left <= 0) {
          break;
        }
        awaited = true;
        changed.awaitNanos(left);
      }
      return output(after);
    } finally {
      lock.unlock();
    }
  }

  /** Rests so long, but not beyond the machine's end. */
  void gather(long nanos) throws InterruptedException {
    lock.lock();
    try {
      long left = nanos;
      while (left > 0 && exit == null) {
        left = ending.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  /** How the machine ended, if it has. */
  @Nullable VmExit exit() {
    lock.lock();
    try {
      return exit;
    } finally {
      lock.unlock();
    }
  }

  /** Wakes all that wait, to look again. */
  void wake() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private ConsoleMatch await(String what, Duration timeout, Pattern... patterns) {
    long began = System.nanoTime();
    long deadline = began + timeout.toNanos();
    try {
      while (true) {
        // In this order: what a machine has written before it ended still counts.
        VmExit ended = exit();
        Output seen = output(position());
        long lookBegan = System.nanoTime();
        ConsoleMatch match = look(seen, patterns);
        if (match != null) {
          return match;
        }
        long now = System.nanoTime();
        if (ended != null || now >= deadline) {
          throw failure(what, timeout, now - began, ended);
        }
        long rest = Math.max(GATHER_NANOS, REST_FACTOR * (now - lookBegan));
        awaitOutput(seen.end(), deadline);
        gather(Math.min(rest, deadline - System.nanoTime()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new VmException("interrupted while waiting for " + what + " on console '" + path + "'");
    }
  }

  private long position() {
    lock.lock();
    try {
      return position;
    } finally {
      lock.unlock();
    }
  }

  /** Looks for the earliest match and moves the position behind it; null if there is none. */
  private @Nullable ConsoleMatch look(Output seen, Pattern[] patterns) {
    ConsoleText text = new ConsoleText(seen.bytes());
    int best = -1;
    MatchResult found = null;
    for (int i = 0; i < patterns.length; i++) {
      Matcher matcher = patterns[i].matcher(text.text());
      if (matcher.find() && (found == null || matcher.start() < found.start())) {
        best = i;
        found = matcher.toMatchResult();
      }
    }
    if (found == null) {
      return null;
    }
    List<String> groups = new ArrayList<>();
    for (int i = 1; i <= found.groupCount(); i++) {
      groups.add(found.group(i) == null ? "" : found.group(i));
    }
    lock.lock();
    try {
      position = Math.max(position, seen.from() + text.byteOffset(found.end()));
    } finally {
      lock.unlock();
    }
    String before = text.text().substring(0, found.start());
    return new ConsoleMatch(best, before, found.group(), List.copyOf(groups));
  }

  private ConsoleExpectationException failure(
      String what, Duration timeout, long passedNanos, @Nullable VmExit ended) {
    StringBuilder message = new StringBuilder();
    message.append(
        "console '%s': expected %s within %d ms, but after %d ms %s%n"
            .formatted(
                path,
                what,
                timeout.toMillis(),
                TimeUnit.NANOSECONDS.toMillis(passedNanos),
                ended == null ? "it has not come" : "the machine has ended: " + ended));
    message.append("last lines:").append(System.lineSeparator());
    for (String line : lastLines()) {
      message.append("  | ").append(line).append(System.lineSeparator());
    }
    message.append(owner.describeVcpus());
    return new ConsoleExpectationException(message.toString(), ended != null);
  }

  private List<String> lastLines() {
    String text = new ConsoleText(output(bytesWritten() - LAST_BYTES).bytes()).text();
    List<String> lines = text.lines().toList();
    return lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size());
  }
}
