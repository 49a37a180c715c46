package io.vmm4j.cli;

import io.vmm4j.snapshot.SnapshotDifference;
import java.util.List;
import java.util.Optional;

/** What differs between two snapshots, for people. */
final class DifferenceText {
  private static final int RANGES_SHOWN = 20;
  private static final int PAGE_BYTES = 4096;

  private final StringBuilder text = new StringBuilder();

  private DifferenceText() {}

  static String of(SnapshotDifference difference) {
    DifferenceText page = new DifferenceText();
    if (difference.isEmpty()) {
      page.line("The same.");
      return page.text.toString();
    }
    if (!difference.machine().isEmpty()) {
      page.line("Machine");
      page.fields("  ", difference.machine());
    }
    if (!difference.states().isEmpty()) {
      page.line("State");
      difference.states().forEach(page::state);
    }
    if (!difference.mappings().isEmpty()) {
      page.line("Mappings of device memory");
      page.fields("  ", difference.mappings());
    }
    if (!difference.memory().isEmpty()) {
      page.line("Memory");
      difference.memory().forEach(page::memory);
    }
    return page.text.toString();
  }

  private void line(String format, Object... arguments) {
    text.append(TextLine.of(format, arguments));
  }

  private void fields(String indent, List<SnapshotDifference.Field> fields) {
    for (SnapshotDifference.Field field : fields) {
      line("%s%-28s %s -> %s", indent, field.name(), value(field.first()), value(field.second()));
    }
  }

  private static String value(Optional<Object> value) {
    return value.map(FieldValue::text).orElse("(none)");
  }

  private void state(SnapshotDifference.State state) {
    String name = "  " + state.path() + " (" + state.type() + ")";
    if (state.firstVersion() == 0 || state.secondVersion() == 0) {
      line("%s: only in %s", name, state.firstVersion() == 0 ? "B" : "A");
      return;
    }
    line(
        "%s%s",
        name,
        state.firstVersion() == state.secondVersion()
            ? ""
            : ", version %d -> %d".formatted(state.firstVersion(), state.secondVersion()));
    fields("      ", state.fields());
  }

  private void memory(SnapshotDifference.Memory memory) {
    line(
        "  %s: %d of %d pages differ%s",
        memory.region(),
        memory.differentPages(),
        Math.max(memory.firstBytes(), memory.secondBytes()) / PAGE_BYTES,
        memory.firstBytes() == memory.secondBytes()
            ? ""
            : ", %d bytes -> %d bytes".formatted(memory.firstBytes(), memory.secondBytes()));
    for (SnapshotDifference.Range range :
        memory.ranges().subList(0, Math.min(RANGES_SHOWN, memory.ranges().size()))) {
      line(
          "      0x%08x to 0x%08x, %d pages",
          range.offset(), range.offset() + range.bytes() - 1, range.bytes() / PAGE_BYTES);
    }
    if (memory.ranges().size() > RANGES_SHOWN) {
      line("      and %d ranges more; --json has all", memory.ranges().size() - RANGES_SHOWN);
    }
  }
}
