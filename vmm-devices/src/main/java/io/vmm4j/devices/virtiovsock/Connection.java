package io.vmm4j.devices.virtiovsock;

import io.vmm4j.api.channel.GuestChannelException.Reason;
import io.vmm4j.api.channel.ProgramChannel;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * A connection: what is to be sent, what has arrived, and who may send how much (virtio 1.2,
 * 5.10.6.3). With the machine lock held, but for its channel.
 */
final class Connection {
  /** How many bytes wait in each direction. */
  static final int BUFFER_BYTES = 128 << 10;

  /** The guest is told of room when so much of it is new. */
  private static final int UPDATE_BYTES = BUFFER_BYTES / 8;

  private enum Phase {
    /** The host has asked, or is about to. */
    REQUESTED,
    /** The guest has asked, and nobody has decided. */
    ASKED,
    OPEN,
    OVER
  }

  /** What becomes of a connection. */
  enum Verdict {
    STAYS,
    /** It is over on both sides. */
    ENDS,
    /** It is over, and the guest is to be told so. */
    RESETS
  }

  private static final byte[] NONE = {};

  private final long guestCid;
  private final long guestPort;
  private final ProgramChannel channel;
  private final AtomicBoolean woken = new AtomicBoolean();
  private volatile long hostPort;
  private Phase phase;

  /** A request or a response. */
  private boolean greetingDue;

  private boolean updateDue;
  private boolean creditAsked;
  private int shutdownSent;
  private int guestShutdown;
  private int sent;
  private int guestBuffer;
  private int guestForwarded;
  private int received;
  private int forwardedSaid;

  private Connection(
      long guestCid, long hostPort, long guestPort, Phase phase, Consumer<Connection> wake) {
    this.guestCid = guestCid;
    this.hostPort = hostPort;
    this.guestPort = guestPort;
    this.phase = phase;
    this.greetingDue = phase == Phase.REQUESTED;
    this.channel = new ProgramChannel(() -> wake.accept(this), BUFFER_BYTES);
  }

  /** One that the host asks for. */
  static Connection toGuest(long guestCid, long guestPort, Consumer<Connection> wake) {
    return new Connection(guestCid, 0, guestPort, Phase.REQUESTED, wake);
  }

  /** One that the guest asks for. */
  static Connection ofGuest(VsockPacket request, Consumer<Connection> wake) {
    Connection made =
        new Connection(
            request.sourceCid(),
            request.destinationPort(),
            request.sourcePort(),
            Phase.ASKED,
            wake);
    made.takeCredit(request);
    return made;
  }

  ProgramChannel channel() {
    return channel;
  }

  long hostPort() {
    return hostPort;
  }

  void setHostPort(long port) {
    hostPort = port;
  }

  long guestPort() {
    return guestPort;
  }

  /** Whether it is to be looked at and nobody has said so yet. Any thread. */
  boolean wake() {
    return woken.compareAndSet(false, true);
  }

  void looking() {
    woken.set(false);
  }

  boolean isAsked() {
    return phase == Phase.ASKED;
  }

  /** Whether the host has said its last word: only the guest's answer is missing. */
  boolean isGoing() {
    return shutdownSent == VsockPacket.NOTHING_MORE;
  }

  // ---- the host's side ----

  /** The host accepts what the guest has asked for. */
  void accept() {
    if (phase == Phase.ASKED) {
      phase = Phase.OPEN;
      greetingDue = true;
      channel.opened();
    }
  }

  /** Whether the program has closed it before the guest has answered. */
  boolean isAbandoned() {
    return phase == Phase.REQUESTED && !channel.isOpen();
  }

  /** It is over. */
  void end(Reason reason, String why) {
    phase = Phase.OVER;
    channel.fail(reason, why);
  }

  // ---- from the guest ----

  Verdict receive(VsockPacket packet) {
    takeCredit(packet);
    return switch (packet.operation()) {
      case VsockPacket.RESPONSE -> {
        if (phase != Phase.REQUESTED || greetingDue) {
          yield reset("the guest answers what nobody has asked");
        }
        phase = Phase.OPEN;
        channel.opened();
        yield Verdict.STAYS;
      }
      case VsockPacket.RESET -> {
        end(
            Reason.ENDED_BY_GUEST,
            phase == Phase.REQUESTED ? "the guest refuses" : "the guest has reset the connection");
        yield Verdict.ENDS;
      }
      case VsockPacket.SHUTDOWN -> shutDown(packet.flags());
      case VsockPacket.DATA -> take(packet.payload());
      case VsockPacket.CREDIT_UPDATE -> Verdict.STAYS;
      case VsockPacket.CREDIT_REQUEST -> {
        updateDue = true;
        yield Verdict.STAYS;
      }
      default -> reset("the guest's driver is at fault");
    };
  }

  private void takeCredit(VsockPacket packet) {
    guestBuffer = packet.allocated();
    guestForwarded = packet.forwarded();
    creditAsked &= credit() == 0;
  }

  private Verdict reset(String why) {
    end(Reason.ENDED_BY_GUEST, why);
    return Verdict.RESETS;
  }

  private Verdict shutDown(int flags) {
    if (phase != Phase.OPEN) {
      return reset("the guest has given up");
    }
    guestShutdown |= flags & VsockPacket.NOTHING_MORE;
    if ((guestShutdown & VsockPacket.NO_SEND) != 0) {
      channel.endInput();
    }
    if (guestShutdown != VsockPacket.NOTHING_MORE) {
      return Verdict.STAYS;
    }
    end(Reason.CLOSED_BY_GUEST, "the guest has closed the connection");
    return Verdict.RESETS; // as the protocol has it: the answer to a shutdown
  }

  private Verdict take(byte[] payload) {
    if (phase != Phase.OPEN || (guestShutdown & VsockPacket.NO_SEND) != 0) {
      return reset("the guest sends where it must not");
    }
    if (!channel.give(payload)) {
      return reset("the guest sends more than there is room for");
    }
    received += payload.length;
    return Verdict.STAYS;
  }

  // ---- to the guest ----

  /** How many bytes the guest has room for; nothing if what it says makes no sense. */
  private long credit() {
    long underWay = sent - guestForwarded & 0xFFFF_FFFFL;
    return Math.max(0, (guestBuffer & 0xFFFF_FFFFL) - underWay);
  }

  /** Looks at what the program has done meanwhile. */
  private void look() {
    if ((guestShutdown & VsockPacket.NO_RECEIVE) != 0) {
      channel.take(BUFFER_BYTES); // the guest wants none of it
    }
    updateDue |= forwarded() - forwardedSaid >= UPDATE_BYTES;
  }

  private int forwarded() {
    return received - channel.unread();
  }

  private boolean sends() {
    return (shutdownSent & VsockPacket.NO_SEND) == 0;
  }

  /** What is to be said of what the program has ended. */
  private int shutdownDue() {
    int wanted =
        channel.untaken() >= 0
            ? 0
            : channel.isOpen() ? VsockPacket.NO_SEND : VsockPacket.NOTHING_MORE;
    return wanted & ~shutdownSent;
  }

  /** Whether there is something to send. */
  boolean hasNext() {
    if (greetingDue) {
      return true;
    }
    if (phase != Phase.OPEN) {
      return false;
    }
    look();
    int waiting = channel.untaken();
    return waiting > 0 && sends() && (credit() > 0 || !creditAsked)
        || updateDue
        || shutdownDue() != 0;
  }

  /**
   * The next packet.
   *
   * @param most how many bytes of data it may have
   */
  Optional<VsockPacket> next(int most) {
    return withoutCredit(most)
        .map(packet -> {
          forwardedSaid = forwarded();
          updateDue = false;
          return packet.withCredit(BUFFER_BYTES, forwardedSaid);
        });
  }

  private Optional<VsockPacket> withoutCredit(int most) {
    if (!hasNext()) {
      return Optional.empty();
    }
    if (greetingDue) {
      greetingDue = false;
      return packet(phase == Phase.REQUESTED ? VsockPacket.REQUEST : VsockPacket.RESPONSE);
    }
    if (channel.untaken() > 0 && sends()) {
      long credit = credit();
      if (credit > 0) {
        byte[] data = channel.take((int) Math.min(most, credit));
        sent += data.length;
        return packet(VsockPacket.DATA, 0, data);
      }
      if (!creditAsked) {
        creditAsked = true;
        return packet(VsockPacket.CREDIT_REQUEST);
      }
    }
    int due = shutdownDue();
    if (due != 0) {
      shutdownSent |= due;
      return packet(VsockPacket.SHUTDOWN, shutdownSent, NONE);
    }
    return packet(VsockPacket.CREDIT_UPDATE);
  }

  private Optional<VsockPacket> packet(int operation) {
    return packet(operation, 0, NONE);
  }

  private Optional<VsockPacket> packet(int operation, int flags, byte[] data) {
    return Optional.of(VsockPacket.of(guestCid, hostPort, guestPort, operation, flags, data));
  }

  /** What tells the guest that it is over. */
  VsockPacket resetPacket() {
    return VsockPacket.of(guestCid, hostPort, guestPort, VsockPacket.RESET);
  }
}
