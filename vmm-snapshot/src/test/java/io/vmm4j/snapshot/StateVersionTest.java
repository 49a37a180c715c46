package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.PendingEvents;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import io.vmm4j.api.state.RecordedShapes;
import java.lang.invoke.MethodHandles;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** States of other versions, and the shapes that go with the versions. */
class StateVersionTest {

  private record Lamp(int brightness, boolean on) {
    Lamp {
      if (brightness > 100) {
        throw new IllegalArgumentException("brightness: " + brightness);
      }
    }
  }

  /** Version 2 had no switch, version 3 calls the level brightness. */
  private static final RecordSchema<Lamp> LAMP =
      RecordSchema.builder(MethodHandles.lookup(), Lamp.class)
          .version(3)
          .defaultValue("on", true)
          .upgrade(2, f -> f.with("brightness", f.get("level")).without("level"))
          .build();

  private static StateChunk lamp(int version, FieldMap fields) {
    return new StateChunk("lamp", "desk", version, true, fields, 77);
  }

  @Test
  void aStateOfAnOlderVersionIsUpgraded() {
    assertThat(lamp(2, FieldMap.of(Map.of("level", 40L))).decode(LAMP))
        .isEqualTo(new Lamp(40, true));
  }

  @Test
  void statesOfVersionsThatAreNotReadAreToldApart() {
    FieldMap fields = FieldMap.of(Map.of());

    assertThatThrownBy(() -> lamp(1, fields).decode(LAMP))
        .isInstanceOf(SnapshotException.TooOld.class)
        .hasMessageContaining("desk");
    assertThatThrownBy(() -> lamp(4, fields).decode(LAMP))
        .isInstanceOf(SnapshotException.TooNew.class)
        .hasMessageContaining("desk");
  }

  @Test
  void fieldsThatMakeNoRecordAreCorruptAtTheChunk() {
    for (FieldMap fields :
        new FieldMap[] {
          FieldMap.of(Map.of()),
          FieldMap.of(Map.of("brightness", "bright")),
          FieldMap.of(Map.of("brightness", 1L << 40)),
          FieldMap.of(Map.of("brightness", 101L))
        }) {
      assertThatThrownBy(() -> lamp(3, fields).decode(LAMP))
          .isInstanceOf(SnapshotException.Corrupt.class)
          .hasMessageContaining("brightness")
          .hasMessageContaining("offset 77");
    }
    assertThatThrownBy(() -> lamp(2, FieldMap.of(Map.of())).decode(LAMP))
        .as("an upgrade that does not find its field")
        .isInstanceOf(SnapshotException.Corrupt.class);
  }

  @Test
  void aCpuOfVersion1HadNoMessagesOnTheirWay() {
    FieldMap now = MachineSchemas.CPU.toFields(SampleSnapshot.cpu());
    FieldMap events = (FieldMap) now.get("events");
    FieldMap apic = (FieldMap) now.get("apic");
    FieldMap then =
        now.with("events", events.without("initPending").without("startupVector"))
            .with("apic", apic.without("externalInterruptMessage").without("unreadErrors"));

    CpuState read = MachineSchemas.CPU.fromFields(1, then);

    assertThat(read.events()).isEqualTo(PendingEvents.none());
    assertThat(read.apic().externalInterruptMessage()).isFalse();
    assertThat(read.apic().unreadErrors()).isZero();
    assertThat(read.apic().timerDeadlineNanos()).isEqualTo(123);
  }

  /** The tripwire: a failure says what to do. */
  @Test
  void shapesAreThoseOfTheirVersions() {
    RecordedShapes recorded = RecordedShapes.read(StateVersionTest.class, "state-shapes.txt");

    recorded.check("vcpu", MachineSchemas.CPU);
    recorded.check("mapping", MachineSchemas.MAPPING);
    recorded.check("machine", MachineCodec.schema());
    recorded.check("clock", ClockState.SCHEMA);
    recorded.check("console", ConsoleState.SCHEMA);
    assertThat(recorded.names())
        .containsExactlyInAnyOrder("vcpu", "mapping", "machine", "clock", "console");
  }
}
