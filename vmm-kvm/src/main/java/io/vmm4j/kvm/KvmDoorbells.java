package io.vmm4j.kvm;

import io.vmm4j.api.backend.BackendDoorbell;
import io.vmm4j.api.backend.BackendHost;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Stores that ring without leaving the guest: ioeventfds, and the one thread that waits for them,
 * which is there if there is a doorbell. A ring stays in the eventfd until somebody takes it with
 * the machine lock held and answers it at once: the thread, or who finds the machine standing. So
 * none is lost on the way, and none is left when the machine stands.
 */
final class KvmDoorbells {
  private static final int IOEVENTFD_BYTES = 64;
  private static final int ADDRESS = 8;
  private static final int LENGTH = 16;
  private static final int FD = 20;
  private static final int FLAGS = 24;
  private static final int FLAG_DATAMATCH = 1;
  private static final int FLAG_PIO = 1 << 1;
  private static final int FLAG_DEASSIGN = 1 << 2;

  /** How many there are; each takes a descriptor. */
  private static final int MOST = 512;

  /** Among the numbers of doorbells: the eventfd that ends the thread. */
  private static final int END = -1;

  private final int vmFd;
  private final BackendHost host;
  private final List<Doorbell> doorbells = new ArrayList<>();
  private int epollFd = -1;
  private int endFd = -1;
  private @Nullable Thread thread;

  KvmDoorbells(int vmFd, BackendHost host) {
    this.vmFd = vmFd;
    this.host = host;
  }

  /** Another one, not yet in a place, if there is room. With the machine lock held. */
  Optional<BackendDoorbell> create(BackendDoorbell.Match match, Runnable rung) {
    if (doorbells.size() == MOST) {
      return Optional.empty();
    }
    if (thread == null) {
      epollFd = Libc.epoll();
      endFd = Libc.eventfd();
      Libc.watch(epollFd, endFd, END);
      thread = host.startThread("doorbells", this::listen);
    }
    Doorbell doorbell = new Doorbell(match, rung);
    doorbells.add(doorbell);
    Libc.watch(epollFd, doorbell.eventFd, doorbells.size() - 1);
    return Optional.of(doorbell);
  }

  private void listen() {
    while (true) {
      int number = Libc.awaitWatched(epollFd);
      if (number == END) {
        return;
      }
      host.locked(() -> doorbells.get(number).answer());
    }
  }

  /** Answers all that have rung. With the machine lock held, by one thread at a time. */
  void answer() {
    // By index: an action may make a device claim more.
    for (int i = 0; i < doorbells.size(); i++) {
      doorbells.get(i).answer();
    }
  }

  /**
   * Ends the thread. No vCPU runs any more. Without the machine lock, which the thread may want.
   */
  void close() {
    Thread running = thread;
    if (running == null) {
      return;
    }
    Libc.signalEvent(endFd, 1);
    boolean interrupted = false;
    while (running.isAlive()) {
      try {
        running.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    doorbells.forEach(doorbell -> Libc.close(doorbell.eventFd));
    Libc.close(endFd);
    Libc.close(epollFd);
  }

  private final class Doorbell implements BackendDoorbell {
    private static final long NOWHERE = -1;

    private final Match match;
    private final Runnable rung;
    private final int eventFd = Libc.eventfd();
    private long place = NOWHERE;

    Doorbell(Match match, Runnable rung) {
      this.match = match;
      this.rung = rung;
    }

    void answer() {
      if (Libc.takeEvent(eventFd)) {
        rung.run();
      }
    }

    @Override
    public void placeAt(long address) {
      if (address != place) {
        remove();
        int result = set(address, 0);
        if (result >= 0) {
          place = address;
        } else if (result != -Libc.ENOSPC) { // beyond what it has room for, they are the bus's
          throw new KvmException(Ioctl.KVM_IOEVENTFD.name(), -result);
        }
      }
    }

    @Override
    public void remove() {
      if (place != NOWHERE) {
        int result = set(place, FLAG_DEASSIGN);
        if (result < 0) {
          throw new KvmException(Ioctl.KVM_IOEVENTFD.name(), -result);
        }
        place = NOWHERE;
      }
    }

    private int set(long address, int flags) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment ioeventfd = arena.allocate(IOEVENTFD_BYTES, 8);
        ioeventfd.set(ValueLayout.JAVA_LONG, 0, match.value());
        ioeventfd.set(ValueLayout.JAVA_LONG, ADDRESS, address);
        ioeventfd.set(ValueLayout.JAVA_INT, LENGTH, match.size());
        ioeventfd.set(ValueLayout.JAVA_INT, FD, eventFd);
        int how = (match.port() ? FLAG_PIO : 0) | (match.hasValue() ? FLAG_DATAMATCH : 0);
        ioeventfd.set(ValueLayout.JAVA_INT, FLAGS, flags | how);
        return Libc.tryIoctl(vmFd, Ioctl.KVM_IOEVENTFD, ioeventfd.address());
      }
    }
  }
}
