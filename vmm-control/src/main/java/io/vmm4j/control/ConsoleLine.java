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
  private boolean inputEnded;

  /** What was read and there was no room for: a read at most. */
  private byte[] unsent = new byte[0];

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

  /** Passes on what the client has sent; what there is no room for waits for {@link #readOn}. */
  void input(ByteBuf bytes) {
    byte[] more = ByteBufUtil.getBytes(bytes);
    bytes.skipBytes(bytes.readableBytes());
    unsent = Arrays.copyOf(unsent, unsent.length + more.length);
    System.arraycopy(more, 0, unsent, unsent.length - more.length, more.length);
    passOn();
  }

  private void passOn() {
    try {
      int sent = console.offer(unsent, 0, unsent.length);
      unsent = Arrays.copyOfRange(unsent, sent, unsent.length);
    } catch (VmStoppedException e) {
      unsent = new byte[0];
      context.close();
    }
  }

  /** Reads on once the guest has taken enough of what it was sent. */
  void readOn() {
    if (unsent.length > 0) {
      passOn();
    }
    if (unsent.length == 0 && inputEnded) {
      context.close();
    } else if (unsent.length == 0 && console.pendingInputBytes() < limits.consoleInputBytes()) {
      context.read();
    } else if (context.channel().isActive()) {
      context.executor().schedule(this::readOn, LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  /** The client sends no more: the connection ends once all it has sent is passed on. */
  void inputEnded() {
    inputEnded = true;
    readOn();
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
