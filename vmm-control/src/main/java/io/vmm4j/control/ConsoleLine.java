package io.vmm4j.control;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.vmm4j.api.Console;
import io.vmm4j.api.VmStoppedException;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connects a client with a console: bytes both ways. A client that does not read is disconnected;
 * of a client that writes faster than the guest reads, no more is read. Everything but {@link
 * #output} is for the channel's thread.
 */
final class ConsoleLine {
  private static final Logger LOG = LoggerFactory.getLogger(ConsoleLine.class);
  private static final long LOOK_AGAIN_MILLIS = 20;

  private final ChannelHandlerContext context;
  private final Console console;
  private final ControlLimits limits;
  private @Nullable AutoCloseable subscription;
  private boolean begun;

  ConsoleLine(ChannelHandlerContext context, Console console, ControlLimits limits) {
    this.context = context;
    this.console = console;
    this.limits = limits;
  }

  void open() {
    subscription = console.onOutput(this::output);
  }

  /** Called by the console's thread, first with all that was said before. */
  private void output(byte[] bytes) {
    int from = begun ? 0 : Math.max(0, bytes.length - limits.consoleReplayBytes());
    begun = true;
    if (!context.channel().isWritable()) {
      LOG.debug("a client of console '{}' does not read and is disconnected", console.path());
      context.close();
      return;
    }
    context.writeAndFlush(Unpooled.wrappedBuffer(Arrays.copyOfRange(bytes, from, bytes.length)));
  }

  /** Passes on what the client has sent, all of it. */
  void input(ByteBuf bytes) {
    if (bytes.isReadable()) {
      try {
        console.send(ByteBufUtil.getBytes(bytes));
        bytes.skipBytes(bytes.readableBytes());
      } catch (VmStoppedException e) {
        context.close();
      }
    }
  }

  /** Reads on once the guest has taken enough of what it was sent. */
  void readOn() {
    if (console.pendingInputBytes() < limits.consoleInputBytes()) {
      context.read();
    } else if (context.channel().isActive()) {
      context.executor().schedule(this::readOn, LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  void close() {
    AutoCloseable open = subscription;
    subscription = null;
    if (open != null) {
      try {
        open.close();
      } catch (Exception e) {
        throw new IllegalStateException("a listener can't be removed", e);
      }
    }
  }
}
