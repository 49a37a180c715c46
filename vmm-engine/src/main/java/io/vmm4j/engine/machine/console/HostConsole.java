package io.vmm4j.engine.machine.console;

import io.vmm4j.api.Console;
import io.vmm4j.api.ConsoleExpectationException;
import io.vmm4j.api.ConsoleMatch;
import io.vmm4j.api.VmException;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.device.ByteChannelEndpoint;
import io.vmm4j.snapshot.ConsoleState;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
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
 * A console: the transcript of what the guest has written, and the buffer of what the host sends.
 * Both are the machine's state: a snapshot has them, and a restore replaces them. What listeners
 * hear is the host's: it goes on, whatever the machine is taken to.
 *
 * <p>It has a lock of its own, under the machine lock: a device calls in with the machine lock
 * held; nothing in here takes the machine lock while it holds its own.
 */
public final class HostConsole implements Console {
  /** How long a waiter lets output gather before it looks: a guest writes byte by byte. */
  private static final long GATHER_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** A waiter rests this many times as long as a look takes, so that it costs a tenth of a core. */
  private static final int REST_FACTOR = 9;

  /** How long the guest may take nothing of what is sent without a limit. */
  private static final Duration INPUT_PATIENCE = Duration.ofSeconds(30);

  private static final int LAST_LINES = 12;
  private static final int LAST_BYTES = 4096;

  private final String path;
  private final ConsoleOwner owner;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Condition ending = lock.newCondition();
  private final int limitBytes;
  private final ConsoleInput input;
  private final OutputListeners listeners;
  private Transcript transcript;
  private @Nullable Transcript heard;
  private long position;
  private boolean awaited;
  private boolean woken;
  private @Nullable VmExit exit;

  /**
   * A console of a device.
   *
   * @param limitBytes how much of the transcript is kept
   */
  public HostConsole(String path, int limitBytes, ConsoleOwner owner) {
    this.path = path;
    this.owner = owner;
    this.limitBytes = limitBytes;
    this.transcript = new Transcript(limitBytes);
    this.input = new ConsoleInput(path, owner);
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
        Transcript log = heard;
        if (log != null) {
          log.append(value);
        }
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
      return input.available();
    }

    @Override
    public int receive() {
      return input.receive();
    }

    @Override
    public void onReceivable(Runnable listener) {
      input.onReceivable(listener);
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
    input.end(how);
  }

  /**
   * What a snapshot has of it. While the machine is held.
   *
   * @param transcriptBytes how much of the transcript's end
   */
  public ConsoleState save(int transcriptBytes) {
    lock.lock();
    try {
      byte[] kept = transcript.from(transcript.end() - transcriptBytes);
      return new ConsoleState(transcript.end(), position, kept, input.contents());
    } finally {
      lock.unlock();
    }
  }

  /** How much of the transcript is there, in bytes. */
  public long transcriptSize() {
    lock.lock();
    try {
      return transcript.end() - transcript.start();
    } finally {
      lock.unlock();
    }
  }

  /** Gives the device no input, and takes none from the host, while the machine is restored. */
  public void holdInput() {
    input.hold();
  }

  /** Ends {@link #holdInput}; the console is unchanged. */
  public void releaseInput() {
    input.release();
    input.announce();
  }

  /**
   * Ends {@link #holdInput}, with the console as it was saved. Expectations that wait look at the
   * other transcript from its position on. Listeners hear what is written from now on.
   */
  public void restore(ConsoleState state) {
    lock.lock();
    try {
      transcript = Transcript.endingWith(state.transcript(), state.bytesWritten(), limitBytes);
      position = state.position();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    input.replace(state.input());
    input.announce();
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
    lock.lock();
    try {
      return transcript.from(0);
    } finally {
      lock.unlock();
    }
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
    send(Objects.requireNonNull(text, "text").getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void send(byte[] bytes) {
    input.send(Objects.requireNonNull(bytes, "bytes"), INPUT_PATIENCE, true);
  }

  @Override
  public void send(byte[] bytes, Duration timeout) {
    Objects.requireNonNull(bytes, "bytes");
    input.send(bytes, Objects.requireNonNull(timeout, "timeout"), false);
  }

  @Override
  public int offer(byte[] bytes, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, Objects.requireNonNull(bytes, "bytes").length);
    return input.offer(bytes, offset, length);
  }

  @Override
  public int pendingInputBytes() {
    return input.size();
  }

  @Override
  public AutoCloseable onOutput(Consumer<byte[]> listener) {
    return onOutput(0, listener);
  }

  @Override
  public AutoCloseable onOutput(long from, Consumer<byte[]> listener) {
    Objects.requireNonNull(listener, "listener");
    byte[] before;
    long position;
    lock.lock();
    try {
      Transcript log = heard;
      if (log == null) {
        log = new Transcript(limitBytes);
        heard = log;
      }
      before = transcript.from(from);
      position = log.end();
    } finally {
      lock.unlock();
    }
    return listeners.add(listener, before, position);
  }

  @Override
  public ConsoleMatch expect(String literal, Duration timeout) {
    String awaitedText = "\"" + Objects.requireNonNull(literal, "literal") + "\"";
    return await(awaitedText, timeout, Pattern.compile(literal, Pattern.LITERAL));
  }

  @Override
  public ConsoleMatch expect(Pattern pattern, Duration timeout) {
    return await("/" + Objects.requireNonNull(pattern, "pattern") + "/", timeout, pattern);
  }

  @Override
  public ConsoleMatch expectAny(Duration timeout, Pattern... patterns) {
    for (Pattern pattern : Objects.requireNonNull(patterns, "patterns")) {
      Objects.requireNonNull(pattern, "patterns");
    }
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
   * @param source what it was taken from
   * @param from the position of the first byte, later than asked for if some is no longer kept
   */
  record Output(Transcript source, long from, byte[] bytes) {
    long end() {
      return from + bytes.length;
    }

    private static Output of(Transcript source, long from) {
      return new Output(source, Math.max(from, source.start()), source.from(from));
    }
  }

  /** What no expectation has read. */
  private Output unread() {
    lock.lock();
    try {
      return Output.of(transcript, position);
    } finally {
      lock.unlock();
    }
  }

  /** Waits until there is more than was seen, or the machine has ended, or the time is over. */
  private void awaitMore(Output seen, long deadlineNanos) throws InterruptedException {
    lock.lock();
    try {
      while (transcript == seen.source() && transcript.end() <= seen.end() && exit == null) {
        if (!awaitChange(deadlineNanos)) {
          return;
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** With the lock held; false if the time is over. */
  private boolean awaitChange(long deadlineNanos) throws InterruptedException {
    long left = deadlineNanos - System.nanoTime();
    if (left <= 0) {
      return false;
    }
    awaited = true;
    changed.awaitNanos(left);
    return true;
  }

  /** What there is to hear behind a position. After there was a listener. */
  Output heard(long after) {
    lock.lock();
    try {
      return Output.of(Objects.requireNonNull(heard, "there has been no listener"), after);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until there is something to hear behind a position, {@link #wake} is called, the machine
   * has ended, or the time is over. After there was a listener.
   */
  void awaitHeard(long after, long deadlineNanos) throws InterruptedException {
    lock.lock();
    try {
      Transcript log = Objects.requireNonNull(heard, "there has been no listener");
      while (log.end() <= after && exit == null && !woken) {
        if (!awaitChange(deadlineNanos)) {
          break;
        }
      }
      woken = false;
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

  /** Has the listeners' thread look again. */
  void wake() {
    lock.lock();
    try {
      woken = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private ConsoleMatch await(String what, Duration timeout, Pattern... patterns) {
    Objects.requireNonNull(timeout, "timeout");
    long began = System.nanoTime();
    long deadline =
        began + Math.clamp(TimeUnit.NANOSECONDS.convert(timeout), 0, Long.MAX_VALUE / 2);
    try {
      while (true) {
        // In this order: what a machine has written before it ended still counts.
        VmExit ended = exit();
        Output seen = unread();
        long lookBegan = System.nanoTime();
        ConsoleMatch match = look(seen, patterns);
        if (match != null) {
          return match;
        }
        long now = System.nanoTime();
        if (ended != null || now - deadline >= 0) {
          throw failure(what, timeout, now - began, ended);
        }
        long rest = Math.max(GATHER_NANOS, REST_FACTOR * (now - lookBegan));
        awaitMore(seen, deadline);
        gather(Math.min(rest, deadline - System.nanoTime()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new VmException("interrupted while waiting for " + what + " on console '" + path + "'");
    }
  }

  /**
   * Looks for the earliest match and moves the position behind it; null if there is none, or the
   * machine was restored meanwhile.
   */
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
      if (transcript != seen.source()) {
        return null;
      }
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
                TimeUnit.MILLISECONDS.convert(timeout),
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
    byte[] all = transcriptBytes();
    byte[] last = Arrays.copyOfRange(all, Math.max(0, all.length - LAST_BYTES), all.length);
    List<String> lines = new ConsoleText(last).text().lines().toList();
    return lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size());
  }
}
