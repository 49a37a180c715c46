package io.vmm4j.cli;

import io.vmm4j.api.MemorySize;
import io.vmm4j.snapshot.MachineDescription;
import io.vmm4j.snapshot.MemoryMakeUp;
import io.vmm4j.snapshot.Prologue;
import io.vmm4j.snapshot.SnapshotInspection;
import java.util.Locale;

/** What a snapshot holds, for people. */
final class InspectionText {
  private final StringBuilder text = new StringBuilder();

  private InspectionText() {}

  static String of(SnapshotInspection inspection) {
    InspectionText page = new InspectionText();
    page.prologue(inspection);
    inspection.machine().ifPresent(page::machine);
    if (inspection.prologue().isPresent()) {
      page.chunks(inspection);
    }
    page.memory(inspection);
    page.verdict(inspection);
    return page.text.toString();
  }

  private void line(String format, Object... arguments) {
    text.append(TextLine.of(format, arguments));
  }

  private void prologue(SnapshotInspection inspection) {
    inspection
        .prologue()
        .ifPresent(p -> {
          line("Snapshot %s, format %d.%d", p.id(), p.major(), p.minor());
          line("  written      %s by %s %s", p.created(), p.producer(), p.producerVersion());
          p.parent()
              .ifPresent(
                  parent -> line("  delta of     %s, memory %s", parent.id(), parent.sha256()));
          line("  layout       %s", p.layout().name().toLowerCase(Locale.ROOT));
          if (!p.features().isEmpty()) {
            line("  needs        %s", String.join(", ", p.features()));
          }
        });
  }

  private void machine(MachineDescription m) {
    line("");
    line("Machine \"%s\"", m.name());
    line("  memory       %s", MemorySize.bytes(m.memoryBytes()));
    line("  vCPUs        %d, %d CPUID leaves", m.cpus(), m.cpuid().size());
    line(
        "  clock        %s, time-stamp counter %.3f MHz, started %s",
        m.clock().name().toLowerCase(Locale.ROOT), m.tscFrequencyHz() / 1e6, m.startTime());
    line("  board        %s", m.board());
    line("  ran on       %s", m.backend());
    line("  devices");
    for (MachineDescription.Device device : m.devices()) {
      line("    %-14s %-14s %s", device.path(), device.type(), FieldValue.text(device.config()));
    }
  }

  private void chunks(SnapshotInspection inspection) {
    line("");
    line("Chunks (%d, and %d of memory)", inspection.chunks().size(), inspection.memoryChunks());
    for (SnapshotInspection.Chunk chunk : inspection.chunks()) {
      line(
          "  %s%s%s, version %d, %d bytes at offset %d%s",
          chunk.kind(),
          chunk.path().isEmpty() ? "" : " of " + chunk.path(),
          chunk.type().isEmpty() ? "" : " (" + chunk.type() + ")",
          chunk.version(),
          chunk.bodyBytes(),
          chunk.offset(),
          chunk.critical() ? "" : ", optional");
      // The machine is shown above.
      if (!chunk.kind().equals("machine")) {
        chunk
            .fields()
            .ifPresent(fields ->
                fields
                    .asMap()
                    .forEach(
                        (name, value) -> line("      %-22s %s", name, FieldValue.text(value))));
      }
    }
  }

  private void memory(SnapshotInspection inspection) {
    if (inspection.memory().isEmpty()) {
      return;
    }
    line("");
    line("Memory");
    for (MemoryMakeUp region : inspection.memory()) {
      line(
          "  %s: %s, of it zeros %s, one pattern %s, data %s; stored in %s, %d blocks, %d compressed",
          region.region(),
          Sizes.text(region.totalBytes()),
          Sizes.text(region.zeroBytes()),
          Sizes.text(region.fillBytes()),
          Sizes.text(region.dataBytes()),
          Sizes.text(region.storedBytes()),
          region.blocks(),
          region.compressedBlocks());
    }
  }

  private void verdict(SnapshotInspection inspection) {
    line("");
    if (inspection.whole()) {
      line("Whole: %d bytes, every checksum is right.", inspection.bytes());
      inspection
          .digest()
          .ifPresent(digest -> {
            line("  sha-256 %s", digest.sha256());
            line("  memory  %s%s", digest.memorySha256(), isDelta(inspection) ? " (stated)" : "");
          });
    } else {
      line("NOT WHOLE: %s", inspection.fault().map(Throwable::getMessage).orElse("unknown reason"));
    }
  }

  /** Of a delta alone the digest of the memory can't be computed. */
  private static boolean isDelta(SnapshotInspection inspection) {
    return inspection.prologue().flatMap(Prologue::parent).isPresent();
  }
}
