package io.vmm4j.control;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.vmm4j.api.Console;
import io.vmm4j.control.command.FailureReply;
import io.vmm4j.control.command.Outcome;
import io.vmm4j.control.protocol.ErrorType;
import io.vmm4j.control.protocol.Replies;
import io.vmm4j.control.protocol.Request;
import io.vmm4j.control.protocol.RequestId;
import io.vmm4j.socket.ListeningLoop;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client. Its requests are done one by one: while one is under way, or the pace has to be kept,
 * nothing is read, so that a flood stays in the client's own buffers. What it has sent and not yet
 * been asked for is at most a line and one read.
 *
 * <p>All fields belong to the channel's thread; only {@link #respond} runs elsewhere.
 */
final class Connection extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
  private static final RequestId NO_ID = new RequestId.Absent();

  /** What the bytes that come next are. */
  private enum Phase {
    /** Requests. */
    LINES,
    /** Not looked at, while a request is under way. */
    BUSY,
    /** A console's input. */
    CONSOLE,
    /** Nothing any more. */
    ENDED
  }

  private final ControlServer server;
  private final ControlLimits limits;
  private final ByteBuf input;
  private Phase phase = Phase.BUSY;
  private boolean inputEnded;
  private volatile boolean streaming;
  private @Nullable ChannelHandlerContext context;
  private @Nullable ConsoleLine console;
  private @Nullable Future<?> lineTimer;
  private @Nullable Future<?> idleTimer;

  Connection(ControlServer server) {
    this.server = server;
    this.limits = server.limits();
    this.input = Unpooled.buffer(256, limits.lineBytes() + ListeningLoop.READ_BYTES + 1);
  }

  private ChannelHandlerContext context() {
    ChannelHandlerContext present = context;
    if (present == null) {
      throw new IllegalStateException("not connected yet");
    }
    return present;
  }

  Channel channel() {
    return context().channel();
  }

  // ---- what Netty tells ----

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    context = ctx;
    if (server.admit(this)) {
      send(Replies.greeting(server.machine()), this::nextRequest);
    } else {
      String message = "there are %d connections already".formatted(limits.connections());
      end(ErrorType.TOO_MANY_CONNECTIONS, message);
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    try {
      if (phase == Phase.LINES) {
        input.discardReadBytes();
        input.writeBytes(bytes);
      } else if (phase == Phase.CONSOLE && console != null) {
        console.input(bytes);
      }
    } finally {
      bytes.release();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (phase == Phase.LINES) {
      advance();
    } else if (phase == Phase.CONSOLE && console != null) {
      console.readOn();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      inputEnded = true;
      if (phase == Phase.CONSOLE && console != null) {
        console.inputEnded();
      } else if (phase == Phase.LINES) {
        advance();
      }
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    phase = Phase.ENDED;
    stopTimers();
    input.release();
    if (console != null) {
      console.close();
    }
    server.remove(this);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    LOG.debug("a control connection has failed", cause);
    ctx.close();
  }

  // ---- requests ----

  private void nextRequest() {
    if (phase == Phase.BUSY) {
      if (server.closing()) {
        context().close();
        return;
      }
      phase = Phase.LINES;
      advance();
    }
  }

  /** Takes the next line if it is there, else waits for more. */
  private void advance() {
    if (input.isReadable() && !mayBeginLine(input.getByte(input.readerIndex()))) {
      end(
          ErrorType.MALFORMED,
          "the client does not speak this protocol: a request begins with '{'");
      return;
    }
    int length = input.bytesBefore((byte) '\n');
    if (length > limits.lineBytes() || length < 0 && input.readableBytes() > limits.lineBytes()) {
      end(
          ErrorType.LINE_TOO_LONG,
          "the line is longer than %d bytes".formatted(limits.lineBytes()));
    } else if (length >= 0) {
      byte[] line = new byte[length];
      input.readBytes(line).skipBytes(1);
      take(line);
    } else if (inputEnded) {
      context().close();
    } else {
      startTimers();
      context().read();
    }
  }

  /**
   * Whether a request, or an empty line, may begin with a byte. A client that speaks something
   * else, such as HTTP, might have a request of ours in the lines that follow, so it is
   * disconnected.
   */
  private static boolean mayBeginLine(byte first) {
    return switch (first) {
      case '{', ' ', '\t', '\r', '\n' -> true;
      default -> false;
    };
  }

  private void take(byte[] line) {
    phase = Phase.BUSY;
    stopTimers();
    long delay = server.pace().delayNanos(System.nanoTime());
    if (delay > 0) {
      context().executor().schedule(() -> begin(line), delay, TimeUnit.NANOSECONDS);
    } else {
      begin(line);
    }
  }

  private void begin(byte[] line) {
    if (phase != Phase.BUSY) {
      return; // the client went while the pace was kept
    }
    try {
      server.commandThreads().execute(() -> respond(line));
    } catch (RejectedExecutionException e) {
      context().close(); // the server closes
    }
  }

  /** Does what a line asks for, in a thread that may wait. */
  private void respond(byte[] line) {
    byte[] reply;
    Optional<Console> attached = Optional.empty();
    switch (server.parser().parse(line)) {
      case Request.Line.Bad bad -> reply = Replies.error(bad.id(), bad.type(), bad.message());
      case Request.Line.Good good -> {
        try {
          Outcome outcome =
              server
                  .commands()
                  .run(
                      good.request(),
                      () -> {
                        streaming = true;
                        return new ChunkedOutput(channel(), good.id(), limits.write());
                      });
          reply =
              switch (outcome) {
                case Outcome.Reply done -> Replies.ok(good.id(), done.result());
                case Outcome.Attach attach -> {
                  attached = Optional.of(attach.console());
                  yield Replies.ok(good.id(), Replies.Result.DONE);
                }
              };
        } catch (Exception | Error e) {
          reply = FailureReply.of(good.id(), e);
        }
        streaming = false;
      }
    }
    deliver(reply, attached);
  }

  /** Returns when the reply is out, so that a server that closes can wait for it. */
  private void deliver(byte[] reply, Optional<Console> attached) {
    CountDownLatch out = new CountDownLatch(1);
    Runnable next =
        attached.<Runnable>map(target -> () -> becomeConsole(target)).orElse(this::nextRequest);
    channel().closeFuture().addListener(closed -> out.countDown());
    context()
        .executor()
        .execute(() ->
            send(
                reply,
                () -> {
                  out.countDown();
                  next.run();
                }));
    try {
      out.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void becomeConsole(Console target) {
    if (phase != Phase.BUSY) {
      return;
    }
    if (server.closing()) {
      context().close();
      return;
    }
    phase = Phase.CONSOLE;
    ConsoleLine line = new ConsoleLine(context(), target, limits);
    console = line;
    line.open();
    line.input(input);
    line.readOn();
  }

  // ---- writing and ending ----

  /** Writes, and goes on from a fresh stack once all of it is written. */
  private void send(byte[] bytes, Runnable next) {
    if (!channel().isActive()) {
      return;
    }
    Future<?> timer =
        context()
            .executor()
            .schedule(
                () -> {
                  LOG.debug("a control client does not read and is disconnected");
                  context().close();
                },
                TimeUnit.NANOSECONDS.convert(limits.write()),
                TimeUnit.NANOSECONDS);
    context()
        .writeAndFlush(Unpooled.wrappedBuffer(bytes))
        .addListener(written -> {
          timer.cancel(false);
          if (written.isSuccess()) {
            context().executor().execute(next);
          } else {
            context().close();
          }
        });
  }

  private void end(ErrorType type, String message) {
    phase = Phase.ENDED;
    stopTimers();
    send(Replies.error(NO_ID, type, message), () -> context().close());
  }

  /** The server closes: ends it now, unless a request is under way whose reply is still to come. */
  void endUnlessBusy() {
    if (phase != Phase.BUSY || streaming) {
      phase = Phase.ENDED;
      context().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(done -> context().close());
    }
  }

  // ---- time ----

  /** Between requests a client may rest for long; within one it may not. */
  private void startTimers() {
    if (input.isReadable()) {
      if (lineTimer == null) {
        stopTimers();
        lineTimer =
            timer(
                TimeUnit.NANOSECONDS.convert(limits.line()),
                ErrorType.LINE_TIMEOUT,
                "the line was begun and not ended");
      }
    } else if (idleTimer == null) {
      idleTimer =
          timer(
              TimeUnit.NANOSECONDS.convert(limits.idle()),
              ErrorType.IDLE_TIMEOUT,
              "nothing was sent");
    }
  }

  private Future<?> timer(long nanos, ErrorType type, String what) {
    String message = "%s within %d ms".formatted(what, TimeUnit.NANOSECONDS.toMillis(nanos));
    return context().executor().schedule(() -> end(type, message), nanos, TimeUnit.NANOSECONDS);
  }

  private void stopTimers() {
    if (lineTimer != null) {
      lineTimer.cancel(false);
      lineTimer = null;
    }
    if (idleTimer != null) {
      idleTimer.cancel(false);
      idleTimer = null;
    }
  }
}
