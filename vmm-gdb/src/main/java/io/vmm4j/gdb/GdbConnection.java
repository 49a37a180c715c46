package io.vmm4j.gdb;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.vmm4j.api.debug.DebugStop;
import io.vmm4j.api.debug.VmDebugger;
import io.vmm4j.gdb.protocol.Frame;
import io.vmm4j.gdb.protocol.FrameReader;
import io.vmm4j.gdb.stub.Answer;
import io.vmm4j.gdb.stub.Session;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One debugger. While a packet of it is dealt with nothing more is read, so that a flood stays in
 * its own buffers; of its input no more than a packet and one read is kept, and of what it is sent
 * one reply and one news of a stop.
 *
 * <p>The fields belong to the channel's thread, but for the session, which is the worker's.
 */
final class GdbConnection extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(GdbConnection.class);
  private static final byte[] NO_ACKNOWLEDGEMENTS =
      "QStartNoAckMode".getBytes(StandardCharsets.US_ASCII);

  /**
   * What a second debugger's first packet is answered. GDB sends qSupported first, and shows an
   * error in reply to that as a warning.
   */
  private static final byte[] TURNED_AWAY =
      "E.another debugger is connected to this machine".getBytes(StandardCharsets.US_ASCII);

  /** Within which a debugger has to send its first packet. */
  private static final long FIRST_PACKET_SECONDS = 10;

  /**
   * How often, and in which distance, a debugger is looked at anew that comes while there is one:
   * the same debugger may have left just before, and its end not have been dealt with.
   */
  private static final int ADMISSIONS = 20;

  private static final long ADMISSION_MILLIS = 50;

  private final GdbServer server;
  private final FrameReader reader = new FrameReader();
  private final Session session;
  private ByteBuf input = Unpooled.EMPTY_BUFFER;
  private byte[] lastReply = {};
  private boolean admitted;
  private boolean turnedAway;
  private boolean spoke;
  private boolean busy;
  private boolean dropped;
  private boolean acknowledges = true;
  private @Nullable ChannelHandlerContext context;
  private VmDebugger.@Nullable Listening listening;

  GdbConnection(GdbServer server) {
    this.server = server;
    this.session = new Session(server.vm(), server.beginning());
  }

  private ChannelHandlerContext context() {
    ChannelHandlerContext present = context;
    if (present == null) {
      throw new IllegalStateException("not connected yet");
    }
    return present;
  }

  // ---- what Netty tells ----

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    context = ctx;
    admit(ADMISSIONS);
  }

  private void admit(int attempts) {
    ChannelHandlerContext ctx = context();
    if (!ctx.channel().isActive()) {
      return;
    }
    admitted = server.admit(this);
    if (admitted) {
      listening = server.vm().debugger().onStop(this::stopped);
      ctx.executor().schedule(this::requireFirstPacket, FIRST_PACKET_SECONDS, TimeUnit.SECONDS);
      ctx.read();
    } else if (attempts > 1) {
      ctx.executor().schedule(() -> admit(attempts - 1), ADMISSION_MILLIS, TimeUnit.MILLISECONDS);
    } else {
      LOG.warn(
          "machine '{}': a second debugger is turned away; one is connected",
          server.vm().spec().name());
      turnedAway = true;
      ctx.executor().schedule(this::requireFirstPacket, FIRST_PACKET_SECONDS, TimeUnit.SECONDS);
      ctx.read();
    }
  }

  private void requireFirstPacket() {
    if (!spoke) {
      context().close();
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    // Nothing was asked for while any of the former was left.
    input.release();
    input = (ByteBuf) message;
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (!busy) {
      advance();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    input.release();
    input = Unpooled.EMPTY_BUFFER;
    if (listening != null) {
      listening.close();
    }
    if (admitted) {
      work(() -> {
        session.close();
        server.leave(this);
      });
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    LOG.debug("a debugger's connection has failed", cause);
    ctx.close();
  }

  // ---- frames ----

  private void advance() {
    while (!busy && !dropped && input.isReadable()) {
      reader.accept(input.readByte()).ifPresent(this::take);
    }
    if (!busy && context().channel().isActive()) {
      context().read();
    }
  }

  private void take(Frame frame) {
    if (turnedAway) {
      turnAway(frame);
      return;
    }
    switch (frame) {
      case Frame.Packet packet -> {
        spoke = true;
        if (acknowledges) {
          write(new byte[] {'+'});
        }
        acknowledges &= !Arrays.equals(packet.payload(), NO_ACKNOWLEDGEMENTS);
        busy = true;
        work(() -> deliver(session.packet(packet.payload())));
      }
      case Frame.Interrupt interrupt -> {
        busy = true;
        work(() -> then(session.interrupt()));
      }
      case Frame.Damaged damaged -> {
        if (acknowledges) {
          write(new byte[] {'-'});
        } else {
          LOG.debug("a debugger that can't repeat has sent a damaged packet");
          drop();
        }
      }
      case Frame.Repeat repeat -> {
        busy = true;
        send(lastReply, true);
      }
      case Frame.TooLong tooLong -> {
        LOG.debug("a debugger has sent a packet of more than {} bytes", FrameReader.MOST_BYTES);
        drop();
      }
      case Frame.Foreign foreign -> {
        LOG.warn(
            "a client of the debugger's port that does not speak GDB's protocol is disconnected");
        drop();
      }
    }
  }

  private void turnAway(Frame frame) {
    if (frame instanceof Frame.Packet) {
      dropped = true;
      write(new byte[] {'+'});
      write(FrameReader.frame(TURNED_AWAY)).addListener(written -> context().close());
    } else {
      drop();
    }
  }

  /** Ends the connection; what has come behind the last frame is not looked at. */
  private void drop() {
    dropped = true;
    context().close();
  }

  // ---- by the worker ----

  private void work(Runnable task) {
    try {
      server
          .worker()
          .execute(() -> {
            try {
              task.run();
            } catch (RuntimeException | Error e) {
              LOG.error("a debugger's request has failed", e);
              context().close();
            }
          });
    } catch (RejectedExecutionException e) {
      context().close(); // the server closes
    }
  }

  private void deliver(Answer answer) {
    switch (answer) {
      case Answer.Reply reply -> then(Optional.of(reply.payload()));
      case Answer.Later later -> then(Optional.empty());
      case Answer.Goodbye goodbye -> context().close();
    }
  }

  private void then(Optional<byte[]> payload) {
    byte[] bytes = payload.map(FrameReader::frame).orElse(new byte[0]);
    context().executor().execute(() -> send(bytes, true));
  }

  /** By a thread of the machine, which must not wait. */
  private void stopped(DebugStop stop) {
    work(() -> {
      ByteArrayOutputStream frames = new ByteArrayOutputStream();
      session.stopped(stop).forEach(packet -> frames.writeBytes(FrameReader.frame(packet)));
      if (frames.size() > 0) {
        context().executor().execute(() -> send(frames.toByteArray(), false));
      }
    });
  }

  // ---- writing ----

  /** Writes, and then takes the next packet if this was the reply to one. */
  private void send(byte[] bytes, boolean goesOn) {
    if (bytes.length > 0) {
      lastReply = bytes;
    }
    write(bytes)
        .addListener(written -> {
          if (!written.isSuccess()) {
            context().close();
          } else if (goesOn) {
            // From a fresh stack, however many packets are in a row.
            context()
                .executor()
                .execute(() -> {
                  busy = false;
                  advance();
                });
          }
        });
  }

  private ChannelFuture write(byte[] bytes) {
    return context().writeAndFlush(Unpooled.wrappedBuffer(bytes));
  }

  /** The server closes: what was written goes out, then the connection ends. */
  ChannelFuture end() {
    return context()
        .writeAndFlush(Unpooled.EMPTY_BUFFER)
        .addListener(written -> context().close())
        .channel()
        .closeFuture();
  }
}
