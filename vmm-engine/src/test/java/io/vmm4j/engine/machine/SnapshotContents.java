package io.vmm4j.engine.machine;

import io.vmm4j.api.Snapshot;
import io.vmm4j.engine.machine.snapshot.ImageMemory;
import io.vmm4j.snapshot.StateChunk;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/** Everything that makes a machine's state, in a form that compares. */
final class SnapshotContents {
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
      byte[] bytes = new byte[(int) region.getValue().bytes()];
      ours.memory().read(region.getValue().offset(), bytes, 0, bytes.length);
      CRC32 sum = new CRC32();
      sum.update(bytes);
      parts.add(region.getKey() + " has checksum " + sum.getValue());
    }
    return parts;
  }
}
