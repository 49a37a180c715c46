package io.vmm4j.devices.virtionet;

import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.network.NetworkPort;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/** The card's end of the cable, with the frames that wait for buffers. */
final class Cable implements NetworkPort {
  private static final int MOST_WAITING = 1024;

  private final DeviceContext context;
  private final int mtu;
  private final byte[] mac;
  private final Runnable arrival;
  private final BlockingQueue<byte[]> frames = new ArrayBlockingQueue<>(MOST_WAITING);

  Cable(DeviceContext context, int mtu, byte[] mac, Runnable arrival) {
    this.context = context;
    this.mtu = mtu;
    this.mac = mac.clone();
    this.arrival = arrival;
  }

  boolean isEmpty() {
    return frames.isEmpty();
  }

  int waiting() {
    return frames.size();
  }

  /** The first that waits; the machine lock is held, and nobody else takes one. */
  byte[] take() {
    return frames.remove();
  }

  void clear() {
    frames.clear();
  }

  @Override
  public String path() {
    return context.path();
  }

  @Override
  public boolean restoring() {
    return context.restoring();
  }

  @Override
  public byte[] macAddress() {
    return mac.clone();
  }

  @Override
  public int mtu() {
    return mtu;
  }

  @Override
  public boolean deliver(byte[] frame) {
    if (frame.length < FrameCopy.ETHERNET_BYTES
        || frame.length > mtu + FrameCopy.ETHERNET_BYTES
        || !frames.offer(frame)) {
      return false;
    }
    arrival.run();
    return true;
  }

  @Override
  public long guestNanos() {
    return context.clock().nanoTime();
  }

  @Override
  public <T> void offer(Class<T> type, T endpoint) {
    context.offer(type, endpoint);
  }
}
