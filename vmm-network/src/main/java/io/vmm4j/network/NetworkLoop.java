package io.vmm4j.network;

import io.vmm4j.api.network.NetworkPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.security.SecureRandom;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The thread of a network, which has the stack and the host's sockets to itself. */
final class NetworkLoop implements Hosts {
  private static final Logger LOG = LoggerFactory.getLogger(NetworkLoop.class);
  private static final int MOST_FRAMES = 1024;
  private static final int BATCH = 128;
  private static final long TICK_NANOS = 20_000_000L;
  private static final long TICK_MILLIS = 20;
  private static final long IDLE_MILLIS = 1000;
  private static final long CLOSE_MILLIS = 5000;

  /** What is done when a channel is ready. */
  @FunctionalInterface
  interface Ready {
    void ready(SelectionKey key);
  }

  private final NetworkPort port;
  private final Selector selector;
  private final UserStack stack;
  private final NetworkClock clock;
  private final NameServer nameServer = new NameServer();
  private final Thread thread;
  private final BlockingQueue<byte[]> frames = new ArrayBlockingQueue<>(MOST_FRAMES);
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicLong fromGuest = new AtomicLong();
  private final AtomicLong toGuest = new AtomicLong();
  private final AtomicLong dropped = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private volatile boolean closed;
  private boolean over;
  private boolean complained;
  private long lastTick;

  NetworkLoop(NetworkPort port, boolean outbound) throws IOException {
    this.port = port;
    this.clock = new NetworkClock(System::nanoTime, port::guestNanos);
    this.selector = Selector.open();
    this.stack =
        new UserStack(port.mtu(), outbound, this::deliver, this, clock::nanos, new SecureRandom());
    this.thread =
        Thread.ofPlatform()
            .name("vmm-%s-network".formatted(port.path()))
            .daemon()
            .unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  UserStack stack() {
    return stack;
  }

  long fromGuest() {
    return fromGuest.get();
  }

  long toGuest() {
    return toGuest.get();
  }

  long dropped() {
    return dropped.get();
  }

  long refused() {
    return refused.get();
  }

  boolean isClosed() {
    return closed;
  }

  private void deliver(byte[] frame) {
    (port.deliver(frame) ? toGuest : dropped).incrementAndGet();
  }

  // ---- from other threads ----

  boolean send(byte[] frame) {
    boolean taken = frames.offer(frame);
    (taken ? fromGuest : dropped).incrementAndGet();
    if (taken) {
      selector.wakeup();
    }
    return taken;
  }

  /** Forgets the frames that wait. */
  void clear() {
    frames.clear();
  }

  /**
   * Has the thread do something.
   *
   * @return false if it has ended; what was taken is done
   */
  boolean execute(Runnable task) {
    synchronized (tasks) {
      if (over) {
        return false;
      }
      tasks.add(task);
    }
    selector.wakeup();
    return true;
  }

  /** Ends the thread, which releases the host's ports. It waits for no lock. */
  void close() {
    closed = true;
    selector.wakeup();
    try {
      thread.join(CLOSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Releases what it has, before it was started. */
  void discard() {
    closed = true;
    release();
  }

  // ---- the thread ----

  private void run() {
    try {
      while (!closed) {
        await();
        clock.advance();
        turn();
      }
    } catch (IOException | RuntimeException e) {
      LOG.error("{}: the network has failed", port.path(), e);
    } finally {
      closed = true;
      release();
    }
  }

  private void await() throws IOException {
    if (!frames.isEmpty() || !tasks.isEmpty()) {
      selector.selectNow();
    } else if (stack.tcp().isTimed()) {
      selector.select(TICK_MILLIS);
    } else if (stack.hasFlows()) {
      selector.select(IDLE_MILLIS);
    } else {
      selector.select();
    }
  }

  private void turn() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      guarded(task);
    }
    for (int i = 0; i < BATCH; i++) {
      byte[] frame = frames.poll();
      if (frame == null) {
        break;
      }
      guarded(() -> receive(frame));
    }
    for (SelectionKey key : selector.selectedKeys()) {
      if (key.isValid()) {
        guarded(() -> ((Ready) key.attachment()).ready(key));
      }
    }
    selector.selectedKeys().clear();
    guarded(stack::flush);
    long now = System.nanoTime();
    if (now - lastTick >= TICK_NANOS) {
      lastTick = now;
      guarded(stack::tick);
    }
  }

  private void receive(byte[] frame) {
    if (!stack.receive(frame)) {
      refused.incrementAndGet();
    }
  }

  /** No error of one connection ends the others; the first is in the log. */
  private void guarded(Runnable action) {
    try {
      action.run();
    } catch (RuntimeException e) {
      refused.incrementAndGet();
      if (!complained) {
        complained = true;
        LOG.warn("{}: an error in the network", port.path(), e);
      }
    }
  }

  private void release() {
    guarded(() -> stack.endAll("the network is closed"));
    for (SelectionKey key : selector.keys()) {
      close(key.channel());
    }
    try {
      selector.close();
    } catch (IOException e) {
      LOG.warn("{}: {}", port.path(), e.toString());
    }
    synchronized (tasks) {
      over = true;
    }
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      guarded(task); // whoever waits for it learns that all is over
    }
  }

  static void close(SelectableChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.debug("a channel can't be closed", e);
    }
  }

  // ---- the host's network ----

  /** Begins to listen for a forward. Before the thread is started, or on it. */
  void listen(ServerSocketChannel channel, int guestPort) throws IOException {
    channel.configureBlocking(false);
    Ready accept = key -> accept(channel, guestPort);
    channel.register(selector, SelectionKey.OP_ACCEPT, accept);
  }

  private void accept(ServerSocketChannel channel, int guestPort) {
    try {
      SocketChannel accepted = channel.accept();
      if (accepted == null) {
        return;
      }
      try {
        SocketSide side = SocketSide.accepted(accepted, selector);
        side.bind(stack.tcp().connect(guestPort, side));
      } catch (IOException e) {
        close(accepted);
        throw e;
      }
    } catch (IOException e) {
      LOG.debug("{}: no connection to guest port {}", port.path(), guestPort, e);
    }
  }

  @Override
  public HostSide connect(InetSocketAddress to, TcpConnection connection) throws IOException {
    return SocketSide.connecting(to, connection, selector, tasks::add);
  }

  @Override
  public Datagrams datagrams(InetSocketAddress to, Consumer<byte[]> receiver) throws IOException {
    return DatagramSide.open(to, receiver, selector);
  }

  @Override
  public InetSocketAddress nameServer() {
    try {
      return nameServer.address();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
