package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.state.FieldMap;
import org.junit.jupiter.api.Test;

/** What a console may be in a file that anybody has written. */
class ConsoleStateTest {
  private static final FieldMap GOOD =
      ConsoleState.SCHEMA.toFields(new ConsoleState(10, 7, new byte[] {1, 2}, new byte[] {3}));

  private static ConsoleState decode(FieldMap fields) {
    return new StateChunk("console", "console/com1", 1, false, fields, 0)
        .decode(ConsoleState.SCHEMA);
  }

  @Test
  void itComesBackAsItWas() {
    ConsoleState read = decode(GOOD);
    assertThat(read.bytesWritten()).isEqualTo(10);
    assertThat(read.position()).isEqualTo(7);
    assertThat(read.transcript()).containsExactly(1, 2);
    assertThat(read.input()).containsExactly(3);
  }

  @Test
  void whatCanNotBeIsRefusedByTheNameOfTheField() {
    refuse("bytesWritten", 1L, "bytesWritten: 1 is less than the transcript's 2");
    refuse("bytesWritten", Long.MAX_VALUE, "bytesWritten: ");
    refuse("bytesWritten", -1L, "bytesWritten: ");
    refuse("position", 11L, "position: 11 is not one of 0 to 10");
    refuse("position", -1L, "position: -1 is not one of 0 to 10");
  }

  private static void refuse(String field, long value, String message) {
    assertThatThrownBy(() -> decode(GOOD.with(field, value)))
        .isInstanceOf(SnapshotException.Corrupt.class)
        .hasMessageContaining("console/com1")
        .hasMessageContaining(message);
  }
}
