package io.vmm4j.cli;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Shows how far the reading of a stream is. */
final class ProgressInputStream extends FilterInputStream {
  private final String what;
  private final long totalBytes;
  private final Messages messages;
  private long read;

  /**
   * A stream that shows its progress.
   *
   * @param totalBytes how much there is, or -1 if that is not known
   */
  ProgressInputStream(InputStream in, String what, long totalBytes, Messages messages) {
    super(in);
    this.what = what;
    this.totalBytes = totalBytes;
    this.messages = messages;
  }

  @Override
  public int read() throws IOException {
    int b = super.read();
    if (b >= 0) {
      count(1);
    }
    return b;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int n = super.read(buffer, offset, length);
    if (n > 0) {
      count(n);
    }
    return n;
  }

  private void count(int bytes) {
    read += bytes;
    messages.progress(
        totalBytes > 0
            ? "%s: %d%% of %s".formatted(what, read * 100 / totalBytes, Sizes.text(totalBytes))
            : "%s: %s".formatted(what, Sizes.text(read)));
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
