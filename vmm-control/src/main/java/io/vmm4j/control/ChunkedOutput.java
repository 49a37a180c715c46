package io.vmm4j.control;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.vmm4j.control.protocol.Replies;
import io.vmm4j.control.protocol.RequestId;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A stream to a client, in chunks that each announce their length. One chunk is under way at a
 * time: so a slow client costs no memory, and one that does not read fails the stream. For one
 * thread, not the channel's.
 */
final class ChunkedOutput extends OutputStream {
  private static final int CHUNK_BYTES = 1 << 16;

  private final Channel channel;
  private final RequestId id;
  private final Duration limit;
  private byte[] chunk = new byte[CHUNK_BYTES];
  private int filled;
  private boolean failed;
  private boolean closed;

  ChunkedOutput(Channel channel, RequestId id, Duration limit) {
    this.channel = channel;
    this.id = id;
    this.limit = limit;
  }

  @Override
  public void write(int value) throws IOException {
    write(new byte[] {(byte) value}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    int done = 0;
    while (done < length) {
      int part = Math.min(length - done, CHUNK_BYTES - filled);
      System.arraycopy(bytes, offset + done, chunk, filled, part);
      filled += part;
      done += part;
      if (filled == CHUNK_BYTES) {
        send();
      }
    }
  }

  private void send() throws IOException {
    if (failed) {
      throw new IOException("the connection has failed");
    }
    byte[] header = Replies.chunk(id, filled);
    ChannelFuture sent =
        channel.writeAndFlush(
            Unpooled.wrappedBuffer(
                Unpooled.wrappedBuffer(header), Unpooled.wrappedBuffer(chunk, 0, filled)));
    chunk = new byte[CHUNK_BYTES]; // the former belongs to the channel
    filled = 0;
    failed = true;
    try {
      if (!sent.await(TimeUnit.MILLISECONDS.convert(limit))) {
        channel.close();
        throw new IOException(
            "the client has not read for %d ms and is disconnected"
                .formatted(TimeUnit.MILLISECONDS.convert(limit)));
      }
    } catch (InterruptedException e) {
      channel.close();
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    }
    if (!sent.isSuccess()) {
      throw new IOException("the client is gone", sent.cause());
    }
    failed = false;
  }

  @Override
  public void close() throws IOException {
    if (!closed) {
      closed = true;
      if (filled > 0 && !failed) {
        send();
      }
    }
  }
}
