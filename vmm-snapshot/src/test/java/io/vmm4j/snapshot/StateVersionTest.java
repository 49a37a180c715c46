package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** States of other versions, and the shapes that go with the versions. */
class StateVersionTest {

  private static final String SEGMENT = "{selector:int32,base:int64,limit:int64,attributes:int32}";
  private static final String TABLE = "{base:int64,limit:int32}";
  private static final String CPU =
      "1{gpr:int64[],rip:int64,rflags:int64,es:S,cs:S,ss:S,ds:S,fs:S,gs:S,ldtr:S,tr:S,gdtr:T,idtr:T,"
              .replace("S", SEGMENT)
              .replace("T", TABLE)
          + "cr0:int64,cr2:int64,cr3:int64,cr4:int64,dr:int64[],xcr0:int64,xsave:bytes,"
          + "msrs:[{index:int32,value:int64}],events:{exceptionVector:int32,"
          + "exceptionHasErrorCode:boolean,exceptionErrorCode:int32,interruptVector:int32,"
          + "nmiPending:boolean,nmiBlocked:boolean,shadowSti:boolean,shadowMovSs:boolean},"
          + "activity:[RUNNING, HALTED, WAIT_FOR_STARTUP, SHUTDOWN],apic:{id:int32,"
          + "registers:int32[],timerDeadlineNanos:int64,externalInterruptPin:boolean},tsc:int64}";
  private static final String MAPPING =
      "1{path:text,memory:text,mapping:text,offset:int64,length:int64,guestPhysicalAddress:int64,"
          + "access:[OFF, READ_ONLY, READ_WRITE]}";
  private static final String MACHINE =
      "1{name:text,memoryBytes:int64,cpus:int32,board:text,clock:[REAL, VIRTUAL],"
          + "tscFrequencyHz:int64,startEpochSecond:int64,startNano:int32,"
          + "cpuid:[{leaf:int32,subleaf:int32,eax:int32,ebx:int32,ecx:int32,edx:int32}],"
          + "randomSeed:int64,consoleLimitBytes:int64,backend:text,"
          + "regions:[{name:text,bytes:int64}],"
          + "memoryMap:[{guestPhysicalAddress:int64,length:int64,region:text,regionOffset:int64}]}";

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

  /**
   * Shapes in the file change only with a new version: who changes one of these records raises its
   * schema's version, adds the upgrade, and then the line here.
   */
  @Test
  void shapesAreThoseOfTheirVersions() {
    assertThat(MachineSchemas.CPU.version() + MachineSchemas.CPU.shape()).isEqualTo(CPU);
    assertThat(MachineSchemas.MAPPING.version() + MachineSchemas.MAPPING.shape())
        .isEqualTo(MAPPING);
    assertThat(MachineCodec.version() + MachineCodec.shape()).isEqualTo(MACHINE);
  }
}
