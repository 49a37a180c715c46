package io.vmm4j.devices.virtioballoon;

import io.vmm4j.api.Balloon.Statistic;
import io.vmm4j.devices.virtio.BadQueueException;
import io.vmm4j.devices.virtio.Chain;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.Map;

/** What a guest tells of its memory: pairs of a tag and a value (virtio 1.2, 5.5.6.3). */
final class Statistics {
  private static final int PAIR_BYTES = 10;
  private static final int MOST_BYTES = 1024;

  private Statistics() {}

  static Map<Statistic, Long> read(Chain chain) {
    long length = chain.readable().length();
    if (length > MOST_BYTES) {
      throw new BadQueueException("statistics of %d bytes".formatted(length));
    }
    ByteBuffer b = ByteBuffer.wrap(chain.read(0, (int) length)).order(ByteOrder.LITTLE_ENDIAN);
    Map<Statistic, Long> found = new EnumMap<>(Statistic.class);
    while (b.remaining() >= PAIR_BYTES) {
      int tag = b.getShort() & 0xFFFF;
      long value = b.getLong();
      if (tag < Statistic.values().length) {
        found.put(Statistic.values()[tag], value);
      }
    }
    return found;
  }
}
