package io.vmm4j.engine.machine;

import io.vmm4j.api.Snapshot;
import io.vmm4j.engine.machine.snapshot.ImageMemory;
import io.vmm4j.snapshot.StateChunk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** Everything that makes a machine's state, in a form that compares. */
final class SnapshotContents {
  private static final int PAGE = 4096;

  private SnapshotContents() {}

  static List<Object> of(Snapshot snapshot) throws IOException {
    MachineSnapshot ours = (MachineSnapshot) snapshot;
    MachineImage image = ours.image();
    List<Object> parts = new ArrayList<>();
    parts.add(image.description());
    for (StateChunk chunk : image.states()) {
      parts.add(List.of(chunk.type(), chunk.path(), chunk.version(), chunk.fields()));
    }
    parts.add(List.copyOf(image.mappings()));
    for (Map.Entry<String, ImageMemory.Place> region : ours.memory().places().entrySet()) {
      parts.add(region.getKey() + ": " + digest(ours.memory(), region.getValue()));
    }
    return parts;
  }

  /** Four bytes of RAM below 3 GiB. */
  static int intAt(Snapshot snapshot, long address) throws IOException {
    byte[] bytes = new byte[Integer.BYTES];
    ((MachineSnapshot) snapshot).memory().read(address, bytes, 0, bytes.length);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
  }

  /** Of the pages that are not zero, and where they lie. */
  private static String digest(ImageMemory memory, ImageMemory.Place place) throws IOException {
    MessageDigest digest = sha256();
    byte[] block = new byte[1 << 20];
    byte[] zeros = new byte[PAGE];
    for (long done = 0; done < place.bytes(); done += block.length) {
      int length = (int) Math.min(block.length, place.bytes() - done);
      memory.read(place.offset() + done, block, 0, length);
      for (int at = 0; at < length; at += PAGE) {
        if (!Arrays.equals(block, at, at + PAGE, zeros, 0, PAGE)) {
          digest.update(ByteBuffer.allocate(Long.BYTES).putLong(0, done + at));
          digest.update(block, at, PAGE);
        }
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
