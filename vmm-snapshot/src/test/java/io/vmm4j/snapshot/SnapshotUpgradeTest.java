package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.state.FieldMap;
import io.vmm4j.api.state.RecordSchema;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is not known survives, and what is old becomes new. */
class SnapshotUpgradeTest {

  private record Lamp(int brightness, boolean on) {}

  private record LampConfig(int watts) {}

  private static final RecordSchema<Lamp> LAMP =
      RecordSchema.builder(MethodHandles.lookup(), Lamp.class)
          .version(3)
          .defaultValue("on", true)
          .upgrade(1, f -> f.with("level", (long) ((String) f.get("level")).length()))
          .upgrade(2, f -> f.with("brightness", f.get("level")).without("level"))
          .build();

  private static final RecordSchema<LampConfig> CONFIG =
      RecordSchema.builder(MethodHandles.lookup(), LampConfig.class)
          .version(2)
          .upgrade(1, f -> f.with("watts", f.get("power")).without("power"))
          .build();

  private static final SnapshotUpgrade.Schemas SCHEMAS =
      new SnapshotUpgrade.Schemas() {
        @Override
        public Optional<RecordSchema<?>> state(String type) {
          return type.equals("lamp") ? Optional.of(LAMP) : Optional.empty();
        }

        @Override
        public Optional<RecordSchema<?>> configuration(String type) {
          return type.equals("lamp") ? Optional.of(CONFIG) : Optional.empty();
        }
      };

  /** A machine with a lamp of version 1, and with things that this version does not know. */
  private static byte[] old(int lampVersion) throws IOException {
    FieldMap lamp =
        Forgery.fields(
            "path",
            "desk",
            "type",
            "lamp",
            "configVersion",
            1L,
            "config",
            Forgery.fields("power", 40L, "colour", "red"),
            "shade",
            "green");
    FieldMap toaster =
        Forgery.fields(
            "path",
            "kitchen",
            "type",
            "toaster",
            "configVersion",
            7L,
            "config",
            Forgery.fields("slices", 2L));
    FieldMap machine =
        Forgery.machine().with("devices", List.of(lamp, toaster)).with("futureField", 9L);
    byte[] comment = {1, 2, 3};
    return Forgery.of(
        Forgery.prologue().with("futureField", "kept"),
        machine,
        5,
        out -> {
          out.chunk(
              "state",
              true,
              Forgery.fields(
                  "type", "lamp", "path", "desk", "version", (long) lampVersion, "hint", "x"),
              Forgery.fields("level", "xxx", "flicker", true));
          out.chunk(
              "state",
              true,
              Forgery.fields("type", "toaster", "path", "kitchen", "version", 4L),
              Forgery.fields("crumbs", 100L));
          out.chunk(
              "mapping",
              true,
              Forgery.fields("version", 1L),
              MachineSchemas.MAPPING.toFields(SampleSnapshot.mapping()).with("cached", true));
          out.chunk("remark", false, Forgery.fields("path", "p"), Forgery.fields("by", "me"));
          out.chunk("blob", false, FieldMap.of(Map.of()), comment, 3, Forgery.crc(comment));
        });
  }

  private record Upgraded(byte[] bytes, SnapshotUpgrade.Result result) {}

  private static Upgraded upgrade(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    SnapshotUpgrade.Result result =
        SnapshotUpgrade.copy(
            new ByteArrayInputStream(bytes), out, SnapshotLimits.standard(), SCHEMAS);
    return new Upgraded(out.toByteArray(), result);
  }

  private static SnapshotInspection inspect(byte[] bytes) throws IOException {
    return SnapshotInspection.of(new ByteArrayInputStream(bytes), SnapshotLimits.standard());
  }

  @Test
  void everyStateAndConfigurationComesToItsNewestVersion() throws IOException {
    // when
    Upgraded upgraded = upgrade(old(1));

    // then
    SnapshotInspection after = inspect(upgraded.bytes());
    assertThat(after.fault()).isEmpty();
    StateChunk lamp = after.states().getFirst();
    assertThat(lamp.version()).isEqualTo(3);
    assertThat(lamp.fields())
        .isEqualTo(Forgery.fields("brightness", 3L, "on", true, "flicker", true));
    MachineDescription.Device device = after.machine().orElseThrow().devices().getFirst();
    assertThat(device.configVersion()).isEqualTo(2);
    assertThat(device.config()).isEqualTo(Forgery.fields("watts", 40L, "colour", "red"));
    assertThat(upgraded.result().changed())
        .containsExactlyInAnyOrder(
            new SnapshotUpgrade.Change("configuration of 'desk' (lamp)", 1, 2),
            new SnapshotUpgrade.Change("state of 'desk' (lamp)", 1, 3));
  }

  @Test
  void whatIsNotKnownStaysAsItWas() throws IOException {
    // given
    byte[] before = old(1);

    // when
    Upgraded upgraded = upgrade(before);

    // then
    SnapshotInspection old = inspect(before);
    SnapshotInspection after = inspect(upgraded.bytes());
    assertThat(after.prologue()).isEqualTo(old.prologue());
    assertThat(upgraded.result().unknown())
        .containsExactly("configuration of 'kitchen' (toaster)", "state of 'kitchen' (toaster)");
    assertThat(after.states().get(1).fields()).isEqualTo(Forgery.fields("crumbs", 100L));
    assertThat(after.states().get(1).version()).isEqualTo(4);
    assertThat(chunk(after, "machine").has("futureField")).isTrue();
    FieldMap lamp = (FieldMap) ((List<?>) chunk(after, "machine").get("devices")).getFirst();
    assertThat(lamp.get("shade")).isEqualTo("green");
    assertThat(chunk(after, "mapping").get("cached")).isEqualTo(true);
    SnapshotPlan plan = SampleSnapshot.read(upgraded.bytes()).plan();
    assertThat(plan.leftovers().chunks())
        .extracting(SkippedChunk::kind)
        .containsExactly("remark", "blob");
    assertThat(plan.leftovers().chunks().get(1).body()).containsExactly(1, 2, 3);
    byte[] text = upgraded.bytes();
    assertThat(new String(text, java.nio.charset.StandardCharsets.ISO_8859_1))
        .as("unknown fields of the prologue and of a header")
        .contains("futureField")
        .contains("hint");
  }

  private static FieldMap chunk(SnapshotInspection inspection, String kind) {
    return inspection.chunks().stream()
        .filter(chunk -> chunk.kind().equals(kind))
        .findFirst()
        .flatMap(SnapshotInspection.Chunk::fields)
        .orElseThrow();
  }

  @Test
  void aSnapshotOfTheNewestVersionsStaysByteForByte() throws IOException {
    byte[] once = upgrade(old(1)).bytes();

    Upgraded twice = upgrade(once);

    assertThat(twice.bytes()).isEqualTo(once);
    assertThat(twice.result().changed()).isEmpty();
  }

  @Test
  void memoryIsPassedOn() throws IOException {
    byte[] bytes = SampleSnapshot.bytes(SnapshotCompression.FAST);

    assertThat(upgrade(bytes).bytes()).isEqualTo(bytes);
  }

  @Test
  void readAndWrittenAgainASnapshotKeepsWhatIsNotKnown() throws IOException {
    // given
    byte[] bytes = old(1);

    // when
    byte[] again = SampleSnapshot.read(bytes).write(SnapshotCompression.NONE);

    // then
    SnapshotInspection before = inspect(bytes);
    SnapshotInspection after = inspect(again);
    assertThat(chunk(after, "machine").get("futureField")).isEqualTo(9L);
    assertThat(chunk(after, "mapping").get("cached")).isEqualTo(true);
    assertThat(after.states().getFirst().fields()).isEqualTo(before.states().getFirst().fields());
    assertThat(SampleSnapshot.read(again).plan().leftovers().chunks())
        .extracting(SkippedChunk::kind)
        .containsExactly("remark", "blob");
  }

  @Test
  void versionsThatCanNotBeUpgradedAreRefusedByName() throws IOException {
    byte[] tooNew = old(4);

    assertThatThrownBy(() -> upgrade(tooNew))
        .isInstanceOf(SnapshotException.TooNew.class)
        .hasMessageContaining("state of 'desk' (lamp) has version 4")
        .hasMessageContaining("use a newer release");
  }

  @Test
  void everyTruncationIsSaid() throws IOException {
    byte[] bytes = old(1);
    for (int length = 0; length < bytes.length; length += 7) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> upgrade(cut))
          .as("cut at %d", length)
          .isInstanceOf(SnapshotException.Truncated.class);
    }
  }

  @Test
  void aWrongFooterIsSaid() throws IOException {
    byte[] bytes = SampleSnapshot.bytes(SnapshotCompression.NONE);
    byte[] other = SampleSnapshot.bytes(SnapshotCompression.FAST);
    // The footers are equally long, and each has its own digest.
    byte[] mixed = bytes.clone();
    System.arraycopy(other, other.length - 100, mixed, mixed.length - 100, 100);

    assertThatThrownBy(() -> upgrade(mixed)).isInstanceOf(SnapshotException.Corrupt.class);
  }
}
