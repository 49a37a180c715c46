package io.vmm4j.snapshot;

import io.vmm4j.api.device.PositionedOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** A new file that is written in any order. */
final class PositionedFile implements PositionedOutput {
  private final Path target;
  private final FileChannel channel;

  /** Writes through a channel. */
  PositionedFile(Path target, FileChannel channel) {
    this.target = target;
    this.channel = channel;
  }

  @Override
  public void write(long position, byte[] bytes, int offset, int length) throws IOException {
    NamedOutput.named(target, () -> put(ByteBuffer.wrap(bytes, offset, length), position));
  }

  private void put(ByteBuffer bytes, long position) throws IOException {
    long at = position;
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
  }

  @Override
  public void setLength(long bytes) throws IOException {
    NamedOutput.named(
        target,
        () -> {
          if (channel.size() < bytes) {
            put(ByteBuffer.allocate(1), bytes - 1);
          }
        });
  }
}
