package io.vmm4j.devices.block;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * The storage of a device, which does requests on it, while others copy it as it was at a moment
 * between two requests.
 */
public final class SharedStorage implements BlockStorage {
  private final BlockStorage storage;
  private final ReadWriteLock requests = new ReentrantReadWriteLock();
  private final List<DiskExport> exports = new CopyOnWriteArrayList<>();
  private boolean held;
  private boolean closed;
  private int copying;

  /** Shares a storage. */
  public SharedStorage(BlockStorage storage) {
    this.storage = storage;
  }

  /** Does a request. A copy has all of it or nothing. Requests may be done at the same time. */
  public void request(Runnable request) {
    requests.readLock().lock();
    try {
      request.run();
    } finally {
      requests.readLock().unlock();
    }
  }

  /**
   * Copies all contents of one moment between requests.
   *
   * @throws IOException if they can't be read or written, or {@link #replaced} or {@link #close} is
   *     called meanwhile
   */
  public void copyTo(DiskImageWriter target) throws IOException {
    DiskExport export = begin(target);
    try {
      for (int i = 0; i < export.pieces(); i++) {
        enter();
        try {
          export.copy(i);
        } finally {
          leave();
        }
      }
    } finally {
      exports.remove(export);
    }
    target.finish();
  }

  private DiskExport begin(DiskImageWriter target) {
    requests.writeLock().lock();
    try {
      DiskExport export = new DiskExport(storage, target::piece);
      exports.add(export);
      return export;
    } finally {
      requests.writeLock().unlock();
    }
  }

  private synchronized void enter() throws IOException {
    try {
      while (held && !closed) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("the thread was interrupted", e);
    }
    if (closed) {
      throw new IOException("the machine has been closed");
    }
    copying++;
  }

  private synchronized void leave() {
    copying--;
    notifyAll();
  }

  /** Keeps copies from reading, until {@link #release}; no request is under way. */
  public synchronized void hold() {
    held = true;
    awaitCopies();
  }

  private void awaitCopies() {
    boolean interrupted = false;
    while (copying > 0) { // one piece each
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Lets copies go on. */
  public synchronized void release() {
    held = false;
    notifyAll();
  }

  /** The contents are others than before, all at once: copies end. While held. */
  public void replaced() {
    exports.forEach(
        each -> each.fail(new IOException("the machine was taken to a snapshot meanwhile")));
  }

  @Override
  public List<Path> files() {
    return storage.files();
  }

  @Override
  public long sizeBytes() {
    return storage.sizeBytes();
  }

  @Override
  public boolean isReadOnly() {
    return storage.isReadOnly();
  }

  @Override
  public void read(long offset, MemorySegment target) throws IOException {
    storage.read(offset, target);
  }

  @Override
  public void write(long offset, MemorySegment source) throws IOException {
    exports.forEach(each -> each.keep(offset, source.byteSize()));
    storage.write(offset, source);
  }

  @Override
  public void zero(long offset, long length) throws IOException {
    exports.forEach(each -> each.keep(offset, length));
    storage.zero(offset, length);
  }

  /** {@inheritDoc} Between two requests, as the machine does not stand. */
  @Override
  public void grow(long bytes) throws IOException {
    enter();
    try {
      requests.writeLock().lock();
      try {
        if (bytes < sizeBytes()) {
          throw new IllegalArgumentException(
              "a disk of %d bytes can't shrink to %d".formatted(sizeBytes(), bytes));
        }
        storage.grow(bytes);
      } finally {
        requests.writeLock().unlock();
      }
    } finally {
      leave();
    }
  }

  @Override
  public void flush() throws IOException {
    storage.flush();
  }

  @Override
  public void close() throws IOException {
    synchronized (this) {
      closed = true;
      notifyAll();
      awaitCopies();
    }
    storage.close();
  }
}
