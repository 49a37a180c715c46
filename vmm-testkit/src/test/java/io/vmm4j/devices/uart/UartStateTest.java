package io.vmm4j.devices.uart;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** States of earlier versions, as their files have them. */
class UartStateTest {
  private static final RecordSchema<UartState> SCHEMA = new UartFactory().stateSchema();

  private static FieldMap version1() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("interruptEnable", 5L);
    fields.put("fifoControl", 0x81L);
    fields.put("lineControl", 3L);
    fields.put("modemControl", 0x0BL);
    fields.put("scratch", 0x5AL);
    fields.put("divisor", 1L);
    fields.put("modemChanges", 0L);
    fields.put("received", List.of(0x78L, 0x1000L));
    fields.put("overrun", false);
    fields.put("transmitterEmptyPending", true);
    fields.put("timeoutPending", false);
    fields.put("timeoutAt", List.of(1_000L));
    return FieldMap.of(fields);
  }

  @Test
  void version_1_had_an_empty_receiver_buffer() {
    UartState state = SCHEMA.fromFields(1, version1());

    assertThat(state.receiverBuffer()).isZero();
    assertThat(state.received()).containsExactly(0x78, 0x1000);
    assertThat(SCHEMA.toFields(state)).isEqualTo(version3());
  }

  @Test
  void until_version_3_characters_arrived_whenever_there_was_room() {
    FieldMap version2 = version1().with("receiverBuffer", 0x41L);

    UartState state = SCHEMA.fromFields(2, version2);

    assertThat(state.batch()).isZero();
    assertThat(state.restUntil()).isEmpty();
    assertThat(SCHEMA.toFields(state)).isEqualTo(version3().with("receiverBuffer", 0x41L));
  }

  private static FieldMap version3() {
    return version1()
        .with("receiverBuffer", 0L)
        .with("batch", 0L)
        .with("batchBeganAt", 0L)
        .with("restUntil", List.of());
  }
}
