package io.vmm4j.devices.virtioballoon;

import io.vmm4j.api.Balloon;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.devices.virtio.BadQueueException;
import io.vmm4j.devices.virtio.Chain;
import io.vmm4j.devices.virtio.VirtioFunction;
import io.vmm4j.devices.virtio.VirtioPci;
import io.vmm4j.devices.virtio.Virtqueue;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** A balloon (virtio 1.2, 5.5). All of it is done with the machine lock held. */
final class VirtioBalloon implements DeviceModel<VirtioBalloonState>, VirtioFunction {
  private static final int TYPE = 5;
  private static final int OTHER = 0x00_FF_00;
  private static final int QUEUE_SIZE = 128;
  private static final int INFLATE = 0;
  private static final int DEFLATE = 1;
  private static final int STATISTICS = 2;
  private static final int REPORTS = 3;

  private static final long STATISTICS_QUEUE = 1L << 1;
  private static final long DEFLATE_ON_OOM = 1L << 2;
  private static final long REPORTING = 1L << 5;

  private static final int CONFIGURATION_BYTES = 8;
  private static final int GIVEN_OFFSET = 4;

  /** The most bytes of a row of page numbers: Linux has 1 KiB. */
  private static final int MOST_BYTES = 64 << 10;

  private static final int PAGE_SHIFT = 12;

  private final boolean reporting;
  private final DeviceContext context;
  private final VirtioPci virtio;
  private final List<CompletableFuture<Map<Balloon.Statistic, Long>>> asked = new ArrayList<>();
  private int wantedPages;
  private volatile int givenPages;
  private volatile long discarded;
  private volatile boolean closed;

  VirtioBalloon(VirtioBalloonConfig config, DeviceContext context) {
    this.reporting = config.reporting();
    this.context = context;
    this.virtio = new VirtioPci(context, TYPE, OTHER, this);
    context.offer(Balloon.class, new Host());
  }

  // ---- as virtio sees it ----

  @Override
  public long features() {
    return STATISTICS_QUEUE | DEFLATE_ON_OOM | (reporting ? REPORTING : 0);
  }

  @Override
  public int[] queueSizes() {
    int[] sizes = new int[reporting ? REPORTS + 1 : STATISTICS + 1];
    Arrays.fill(sizes, QUEUE_SIZE);
    return sizes;
  }

  @Override
  public byte[] configuration() {
    return ByteBuffer.allocate(CONFIGURATION_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(wantedPages)
        .putInt(givenPages)
        .array();
  }

  @Override
  public void configure(int offset, int value) {
    if (offset >= GIVEN_OFFSET) {
      int shift = 8 * (offset - GIVEN_OFFSET);
      givenPages = givenPages & ~(0xFF << shift) | value << shift;
    }
  }

  @Override
  public void notified(int queue) {
    switch (queue) {
      case INFLATE -> each(queue, this::inflate);
      case DEFLATE -> each(queue, chain -> {});
      case STATISTICS -> {
        // Without the feature the third queue is that of reports.
        if ((virtio.features() & STATISTICS_QUEUE) != 0) {
          tellStatistics();
        } else {
          each(queue, this::report);
        }
      }
      default -> each(queue, this::report);
    }
  }

  @Override
  public void stop(Runnable done) {
    givenPages = 0;
    endRequests("the guest's driver has gone");
    done.run();
  }

  private void each(int index, Consumer<Chain> use) {
    Optional<Virtqueue> ring = virtio.queue(index);
    if (ring.isEmpty()) {
      return;
    }
    Virtqueue queue = ring.get();
    try {
      do {
        Optional<Chain> chain;
        while ((chain = queue.take()).isPresent()) {
          use.accept(chain.get());
          queue.giveBack(chain.get(), 0);
        }
      } while (!queue.awaitNotification());
      virtio.interrupt(index);
    } catch (BadQueueException e) {
      virtio.refuse(index, e);
    }
  }

  // ---- memory ----

  /** A row of page numbers, which follow one another more often than not. */
  private void inflate(Chain chain) {
    long length = chain.readable().length();
    if (length > MOST_BYTES || length % Integer.BYTES != 0) {
      throw new BadQueueException("page numbers of %d bytes".formatted(length));
    }
    ByteBuffer b = ByteBuffer.wrap(chain.read(0, (int) length)).order(ByteOrder.LITTLE_ENDIAN);
    long[] pages = new long[(int) length / Integer.BYTES];
    Arrays.setAll(pages, i -> b.getInt() & 0xFFFF_FFFFL);
    Arrays.sort(pages);
    int from = 0;
    for (int i = 1; i <= pages.length; i++) {
      if (i == pages.length || pages[i] != pages[i - 1] + 1) {
        discard(pages[from] << PAGE_SHIFT, (long) (i - from) << PAGE_SHIFT);
        from = i;
      }
    }
  }

  private void discard(long address, long bytes) {
    try {
      context.memory().discard(address, bytes);
    } catch (GuestMemoryException e) {
      throw new BadQueueException("a page: " + e.getMessage());
    }
    discarded += bytes;
  }

  private void report(Chain chain) {
    try {
      chain.writable().discard();
    } catch (GuestMemoryException e) {
      throw new BadQueueException("a report: " + e.getMessage());
    }
    discarded += chain.writable().length();
  }

  // ---- statistics ----

  /**
   * The driver's buffer waits in the queue until somebody asks. It is given back then, and comes
   * again with what is true now.
   */
  private void askStatistics(CompletableFuture<Map<Balloon.Statistic, Long>> answer) {
    if (closed) {
      answer.completeExceptionally(new IOException("the machine is closed"));
      return;
    }
    Optional<Chain> chain = takeStatistics();
    if (chain.isPresent()) {
      asked.add(answer);
    } else {
      answer.completeExceptionally(new IOException("the guest's driver tells no statistics"));
    }
  }

  private void tellStatistics() {
    if (asked.isEmpty()) {
      return;
    }
    takeStatistics()
        .ifPresent(chain -> {
          Map<Balloon.Statistic, Long> told = Statistics.read(chain);
          asked.forEach(answer -> answer.complete(told));
          asked.clear();
        });
  }

  /** Takes the buffer and gives it back, so that it comes anew. */
  private Optional<Chain> takeStatistics() {
    Optional<Virtqueue> ring =
        (virtio.features() & STATISTICS_QUEUE) != 0 ? virtio.queue(STATISTICS) : Optional.empty();
    if (ring.isEmpty()) {
      return Optional.empty();
    }
    Virtqueue queue = ring.get();
    try {
      Optional<Chain> chain = queue.take();
      if (chain.isPresent()) {
        queue.awaitFurther();
        queue.giveBack(chain.get(), 0);
        virtio.interrupt(STATISTICS);
      }
      return chain;
    } catch (BadQueueException e) {
      virtio.refuse(STATISTICS, e);
      return Optional.empty();
    }
  }

  // ---- for the host ----

  private final class Host implements Balloon {
    @Override
    public void target(MemorySize memory) {
      long pages = Math.max(0, context.ram().bytes() - memory.bytes()) >> PAGE_SHIFT;
      context.execute(() -> {
        wantedPages = (int) pages;
        virtio.configurationChanged();
      });
    }

    @Override
    public MemorySize memory() {
      long given = (givenPages & 0xFFFF_FFFFL) << PAGE_SHIFT;
      return MemorySize.bytes(Math.max(0, context.ram().bytes() - given));
    }

    @Override
    public long discardedBytes() {
      return discarded;
    }

    @Override
    public Map<Statistic, Long> statistics(Duration timeout) throws IOException {
      CompletableFuture<Map<Statistic, Long>> answer = new CompletableFuture<>();
      if (closed) {
        throw new IOException("the machine is closed");
      }
      context.execute(() -> askStatistics(answer));
      try {
        return answer.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        throw (IOException)
            new SocketTimeoutException("no statistics within " + timeout).initCause(e);
      } catch (ExecutionException e) {
        throw new IOException(String.valueOf(e.getCause().getMessage()), e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw (IOException) new InterruptedIOException("interrupted").initCause(e);
      }
    }
  }

  private void endRequests(String why) {
    asked.forEach(answer -> answer.completeExceptionally(new IOException(why)));
    asked.clear();
  }

  // ---- the device ----

  @Override
  public void reset() {
    endRequests("the machine was restored");
    virtio.powerOn();
  }

  @Override
  public VirtioBalloonState save() {
    return new VirtioBalloonState(virtio.save(), wantedPages, givenPages);
  }

  @Override
  public void restore(VirtioBalloonState state) {
    wantedPages = state.wantedPages();
    givenPages = state.givenPages();
    virtio.restore(state.virtio());
  }

  @Override
  public void close() {
    closed = true;
    endRequests("the machine is closed");
  }
}
