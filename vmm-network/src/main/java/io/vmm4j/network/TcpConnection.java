package io.vmm4j.network;

import static io.vmm4j.network.TcpSegment.ACK;
import static io.vmm4j.network.TcpSegment.FIN;
import static io.vmm4j.network.TcpSegment.PSH;
import static io.vmm4j.network.TcpSegment.RST;
import static io.vmm4j.network.TcpSegment.SYN;

import io.vmm4j.api.channel.ByteRing;
import java.io.IOException;

/**
 * A TCP connection with the guest (RFC 9293), whose other end is a {@link HostSide}. It takes what
 * comes in order and sends again from what was acknowledged; it has no selective acknowledgements.
 *
 * <p>Sequence numbers are compared by their difference, as they go round.
 */
final class TcpConnection {
  /** The most bytes that wait in each direction. */
  static final int BUFFER_BYTES = 128 << 10;

  private static final int SCALE = 2;
  private static final int LEAST_SEGMENT = 64;
  private static final int USUAL_SEGMENT = 536;
  private static final int MOST_OPENINGS = 6;
  private static final int MOST_TRIES = 12;
  private static final int DUPLICATES = 3;
  private static final long SECOND = 1_000_000_000L;
  private static final long NEVER = Long.MAX_VALUE;
  private static final long LINGER_NANOS = SECOND;
  private static final long CONNECT_NANOS = 120 * SECOND;

  /** RFC 5382, REQ-5. */
  private static final long IDLE_NANOS = 7_440 * SECOND;

  private enum Phase {
    /** The host's side is not connected yet. */
    CONNECTING,
    SYN_RECEIVED,
    SYN_SENT,
    OPEN,
    /** Ended in order; late segments are still answered. */
    LINGERING,
    CLOSED
  }

  /** What a snapshot must know: where the guest is about to read on, and where it writes on. */
  record Position(int seq, int ack) {}

  private final TcpKey key;
  private final Tcp tcp;
  private final HostSide host;
  private final TcpPace pace;
  private final ByteRing toGuest = new ByteRing(BUFFER_BYTES);
  private final ByteRing toHost = new ByteRing(BUFFER_BYTES);
  private Phase phase;

  // What is sent (RFC 9293, 3.3.1).
  private int first;
  private int unacknowledged;
  private int next;
  private int furthest;
  private int sendWindow;
  private int sendScale;
  private int windowSeq;
  private int windowAck;
  private int segment = USUAL_SEGMENT;
  private boolean hostEnded;
  private boolean endAcknowledged;

  // Losses and time.
  private int duplicates;
  private boolean recovering;
  private int recovered;
  private boolean timing;
  private int timedSeq;
  private long timedAt;
  private long deadline = NEVER;
  private int tries;
  private long lastHeard;

  // What is received.
  private int received;
  private int receiveScale;
  private int promised;
  private boolean guestEnded;
  private boolean hostTold;
  private boolean acknowledge;
  private volatile Position position;

  private TcpConnection(Tcp tcp, TcpKey key, Phase phase, int first, Opener opener)
      throws IOException {
    this.tcp = tcp;
    this.key = key;
    this.phase = phase;
    this.first = first;
    this.unacknowledged = first;
    this.next = first;
    this.furthest = first;
    this.pace = new TcpPace(USUAL_SEGMENT, BUFFER_BYTES);
    this.lastHeard = tcp.now();
    this.position = new Position(first, 0);
    this.host = opener.open(this);
  }

  /** Opens the host's side. */
  @FunctionalInterface
  interface Opener {
    HostSide open(TcpConnection connection) throws IOException;
  }

  /** The guest wants a connection; the host's side is opened first. */
  static TcpConnection asked(Tcp tcp, TcpKey key, TcpSegment s, int first, Opener opener)
      throws IOException {
    TcpConnection made = new TcpConnection(tcp, key, Phase.CONNECTING, first, opener);
    made.received = s.seq() + 1;
    made.takeOptions(s);
    return made;
  }

  /** The host wants one. */
  static TcpConnection ask(Tcp tcp, TcpKey key, int first, HostSide host) throws IOException {
    TcpConnection made = new TcpConnection(tcp, key, Phase.SYN_SENT, first, connection -> host);
    made.receiveScale = SCALE;
    made.sendOpening();
    return made;
  }

  TcpKey key() {
    return key;
  }

  boolean isLingering() {
    return phase == Phase.LINGERING;
  }

  /** Where it is; any thread. */
  Position position() {
    return position;
  }

  private void takeOptions(TcpSegment s) {
    int wanted = s.mss() == 0 ? USUAL_SEGMENT : s.mss();
    segment = Math.clamp(wanted, LEAST_SEGMENT, tcp.output().mostBytes());
    pace.setSegment(segment);
    sendScale = Math.max(0, s.scale());
    receiveScale = s.scale() < 0 ? 0 : SCALE;
    sendWindow = s.window();
    windowSeq = s.seq();
    windowAck = s.ack();
  }

  // ---- the host's side ----

  /** The host's side is connected. */
  void hostConnected() {
    if (phase == Phase.CONNECTING) {
      phase = Phase.SYN_RECEIVED;
      sendOpening();
    }
  }

  /** The host's side can't be had. */
  void hostRefused() {
    if (phase == Phase.CONNECTING) {
      tcp.output().send(key, 0, received, RST | ACK, 0);
      end("refused");
    }
  }

  /** There may be something to read or to write. */
  void hostReady() {
    tcp.touch(this);
  }

  /** Ends it; the guest is told. */
  void abort(String why) {
    if (phase != Phase.CLOSED) {
      if (phase != Phase.LINGERING) {
        tcp.output().send(key, next, received, RST | ACK, 0);
      }
      end(why);
    }
  }

  /** Ends it without a word to the guest. */
  void end(String why) {
    phase = Phase.CLOSED;
    deadline = NEVER;
    host.reset(why);
    tcp.remove(this);
  }

  // ---- segments from the guest ----

  void receive(TcpSegment s) {
    lastHeard = tcp.now();
    switch (phase) {
      case CONNECTING -> {
        if (s.is(RST) && s.seq() == received) {
          end("the guest has reset the connection");
        }
      }
      case SYN_SENT -> answered(s);
      case SYN_RECEIVED, OPEN, LINGERING -> arrived(s);
      case CLOSED -> {
        // It is in no table any more.
      }
    }
    tcp.touch(this);
  }

  private void answered(TcpSegment s) {
    if (!s.is(ACK) || s.ack() != first + 1) {
      if (s.is(ACK)) {
        tcp.output().refuse(key, s);
      }
      return;
    }
    if (s.is(RST)) {
      end("the guest refuses the connection");
    } else if (s.is(SYN)) {
      received = s.seq() + 1;
      takeOptions(s);
      open(s.ack());
      acknowledge = true;
    }
  }

  private void open(int ack) {
    phase = Phase.OPEN;
    unacknowledged = ack;
    next = ack;
    deadline = NEVER;
    tries = 0;
    host.opened();
  }

  private int room() {
    return guestEnded ? 0 : toHost.free();
  }

  private boolean isAcceptable(TcpSegment s) {
    int ahead = s.seq() - received;
    int span = s.span();
    int room = room();
    if (span == 0 || room == 0) {
      return span == 0 && ahead >= 0 && ahead <= room;
    }
    return ahead < room && ahead + span > 0;
  }

  private void arrived(TcpSegment s) {
    if (!isAcceptable(s)) {
      if (s.is(RST)) {
        return;
      }
      if (phase == Phase.SYN_RECEIVED && s.is(SYN)) {
        sendOpening();
        return;
      }
      acknowledge = true;
      if (phase == Phase.OPEN && s.is(ACK) && !s.is(SYN)) {
        acknowledged(s); // a window may be full in one direction only
      }
      return;
    }
    if (s.is(RST)) {
      if (s.seq() == received) {
        end("the guest has reset the connection");
      } else {
        acknowledge = true; // RFC 5961, 3.2
      }
      return;
    }
    if (s.is(SYN)) {
      acknowledge = true; // RFC 5961, 4.2
      return;
    }
    if (!s.is(ACK)) {
      return;
    }
    if (phase == Phase.SYN_RECEIVED) {
      if (s.ack() != first + 1) {
        tcp.output().refuse(key, s);
        return;
      }
      open(s.ack());
      sendWindow = s.window() << sendScale;
      windowSeq = s.seq();
      windowAck = s.ack();
    } else if (!acknowledged(s)) {
      return;
    }
    data(s);
  }

  /** Where the end of what is sent lies. */
  private int end() {
    return endAcknowledged ? unacknowledged - 1 : unacknowledged + toGuest.size();
  }

  private boolean acknowledged(TcpSegment s) {
    int ahead = s.ack() - unacknowledged;
    if (s.ack() - furthest > 0) {
      acknowledge = true;
      return false;
    }
    int underWay = furthest - unacknowledged;
    if (ahead > 0) {
      advance(s.ack(), ahead);
    } else if (ahead == 0
        && s.span() == 0
        && underWay > 0
        && s.window() << sendScale == sendWindow
        && ++duplicates == DUPLICATES
        && !recovering) {
      recovering = true;
      recovered = furthest;
      pace.lostOne(underWay);
      sendAgain();
    }
    if (s.seq() - windowSeq > 0 || s.seq() == windowSeq && s.ack() - windowAck >= 0) {
      boolean wasShut = sendWindow == 0;
      sendWindow = s.window() << sendScale;
      windowSeq = s.seq();
      windowAck = s.ack();
      if (sendWindow == 0) {
        tries = 0; // it is there, but has no room
      } else if (wasShut) {
        next = unacknowledged; // what tried the window was not taken
        deadline = NEVER;
      }
    }
    return true;
  }

  private void advance(int ack, int ahead) {
    int bytes = Math.min(ahead, toGuest.size());
    endAcknowledged |= hostEnded && ahead > bytes;
    toGuest.drop(bytes);
    unacknowledged = ack;
    if (next - ack < 0) {
      next = ack;
    }
    tries = 0;
    duplicates = 0;
    if (timing && ack - timedSeq >= 0) {
      timing = false;
      pace.measured(tcp.now() - timedAt);
    }
    pace.acknowledged(ahead);
    if (recovering) {
      if (ack - recovered >= 0) {
        recovering = false;
      } else {
        sendAgain(); // RFC 6582: the next hole
      }
    }
    deadline = furthest == ack ? NEVER : tcp.now() + pace.timeoutNanos();
  }

  private void data(TcpSegment s) {
    int known = received - s.seq();
    if (known != 0 && s.span() > 0) {
      acknowledge = true;
    }
    if (known < 0 || s.span() == 0 || guestEnded || phase != Phase.OPEN) {
      return;
    }
    int left = Math.max(0, s.length() - known);
    int count = Math.min(left, toHost.free());
    toHost.append(s.bytes(), s.offset() + s.length() - left, count);
    received += count;
    acknowledge = true;
    if (s.is(FIN) && count == left) {
      received++;
      guestEnded = true;
    }
  }

  // ---- segments to the guest ----

  private void sendOpening() {
    int flags = phase == Phase.SYN_RECEIVED ? SYN | ACK : SYN;
    int scale = receiveScale == 0 ? -1 : receiveScale;
    tcp.output().sendOpening(key, first, received, flags, Math.min(toHost.free(), 0xFFFF), scale);
    next = first + 1;
    furthest = next;
    promised = received + Math.min(toHost.free(), 0xFFFF);
    deadline = tcp.now() + pace.timeoutNanos();
    publish();
  }

  private int window() {
    int scaled = Math.min(0xFFFF, toHost.free() >>> receiveScale);
    promised = received + (scaled << receiveScale);
    return scaled;
  }

  /** Moves what can be moved, in both directions. */
  void pump() {
    if (phase == Phase.OPEN) {
      try {
        if (!hostEnded && toGuest.free() > 0) {
          hostEnded = host.read(toGuest) < 0;
        }
        if (!toHost.isEmpty()) {
          host.write(toHost);
        }
        if (guestEnded && toHost.isEmpty() && !hostTold) {
          hostTold = true;
          host.shutdownOutput();
        }
      } catch (IOException e) {
        abort(String.valueOf(e.getMessage()));
        return;
      }
      send();
      if (endAcknowledged && hostTold) {
        phase = Phase.LINGERING;
        deadline = tcp.now() + LINGER_NANOS;
        host.close();
      } else {
        host.await(!hostEnded && toGuest.free() > 0, !toHost.isEmpty());
      }
    } else if (phase == Phase.LINGERING && acknowledge) {
      sendAcknowledgement();
    }
    publish();
  }

  private void publish() {
    position = new Position(furthest, received);
  }

  private void send() {
    boolean sent = false;
    while (true) {
      int underWay = next - unacknowledged;
      int available = end() - next;
      int window = Math.min(sendWindow, pace.window()) - underWay;
      int count = Math.min(Math.min(segment, available), window);
      if (count <= 0 || count < segment && count < available && underWay > 0) {
        break; // the rest waits for more room (RFC 9293, 3.8.6.2.1)
      }
      sendData(next, count);
      next += count;
      sent = true;
    }
    if (hostEnded && !endAcknowledged && next == end()) {
      boolean room = sendWindow > next - unacknowledged || next == unacknowledged;
      if (room) {
        tcp.output().send(key, next, received, FIN | ACK, window());
        next++;
        sent = true;
      }
    }
    if (next - furthest > 0) {
      furthest = next;
    }
    boolean waits = next != unacknowledged || end() - next > 0;
    if (waits && deadline == NEVER) {
      deadline = tcp.now() + pace.timeoutNanos();
    }
    int most = Math.min(BUFFER_BYTES, 0xFFFF << receiveScale);
    int opened = received + Math.min(most, toHost.free()) - promised;
    if (!sent && (acknowledge || !guestEnded && opened >= most / 2)) {
      sendAcknowledgement();
    }
    acknowledge = false;
  }

  private void sendAcknowledgement() {
    tcp.output().send(key, next, received, ACK, window());
    acknowledge = false;
  }

  private void sendData(int seq, int count) {
    int from = seq - unacknowledged;
    int flags = from + count == toGuest.size() ? ACK | PSH : ACK;
    if (!timing && seq - furthest >= 0) {
      timing = true;
      timedSeq = seq + count;
      timedAt = tcp.now();
    }
    tcp.output().sendData(key, seq, received, flags, window(), toGuest, from, count);
  }

  /** Sends the first segment that was not acknowledged once more. */
  private void sendAgain() {
    timing = false; // RFC 6298, 3
    int count = Math.min(segment, toGuest.size());
    if (count > 0) {
      sendData(unacknowledged, count);
    } else if (hostEnded && !endAcknowledged) {
      tcp.output().send(key, unacknowledged, received, FIN | ACK, window());
    }
  }

  // ---- time ----

  /** Whether something is to be done soon. */
  boolean isTimed() {
    return deadline != NEVER;
  }

  /** Looks at the time. */
  void tick(long now) {
    if (now - lastHeard > (phase == Phase.CONNECTING ? CONNECT_NANOS : IDLE_NANOS)) {
      abort("nothing was heard of the guest");
    } else if (deadline != NEVER && now - deadline >= 0) {
      deadline = NEVER;
      expired(now);
    }
  }

  private void expired(long now) {
    switch (phase) {
      case SYN_SENT, SYN_RECEIVED -> {
        if (++tries >= MOST_OPENINGS) {
          abort("the guest does not answer");
        } else {
          pace.backOff();
          sendOpening();
        }
      }
      case LINGERING -> end("closed");
      case OPEN -> {
        if (++tries > MOST_TRIES) {
          abort("the guest does not answer");
        } else if (sendWindow == 0) {
          tryWindow(now);
        } else {
          timing = false;
          recovering = false;
          pace.timedOut(furthest - unacknowledged);
          next = unacknowledged;
          tcp.touch(this);
        }
      }
      case CONNECTING, CLOSED -> {
        // Nothing waits for an answer of the guest's.
      }
    }
  }

  /** Sends a byte into a window of 0, so that a lost update does no harm (RFC 9293, 3.8.6.1). */
  private void tryWindow(long now) {
    timing = false;
    pace.backOff();
    if (!toGuest.isEmpty()) {
      tcp.output().sendData(key, unacknowledged, received, ACK, window(), toGuest, 0, 1);
      next = unacknowledged + 1;
    } else if (hostEnded && !endAcknowledged) {
      tcp.output().send(key, unacknowledged, received, FIN | ACK, window());
      next = unacknowledged + 1;
    }
    if (next - furthest > 0) {
      furthest = next;
    }
    deadline = now + pace.timeoutNanos();
  }
}
