package io.vmm4j.api.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.invoke.MethodHandles;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RecordSchemaTest {

  private record Shelf(String name, FieldMap contents) {}

  /** Version 1 had a text "size", version 2 a number "size", version 3 calls it "width". */
  private record Board(int width, boolean painted) {}

  private static final RecordSchema<Board> BOARD =
      RecordSchema.builder(MethodHandles.lookup(), Board.class)
          .version(3)
          .defaultValue("painted", false)
          .upgrade(1, f -> f.with("size", (long) ((String) f.get("size")).length()))
          .upgrade(2, f -> f.with("width", f.get("size")).without("size"))
          .build();

  @Test
  void upgradesChainFromEveryVersion() {
    assertThat(BOARD.fromFields(1, FieldMap.of(Map.of("size", "xxx"))))
        .isEqualTo(new Board(3, false));
    assertThat(BOARD.fromFields(2, FieldMap.of(Map.of("size", 3L)))).isEqualTo(new Board(3, false));
    assertThat(BOARD.fromFields(3, FieldMap.of(Map.of("width", 3L))))
        .isEqualTo(new Board(3, false));
    assertThat(BOARD.oldestVersion()).isEqualTo(1);
  }

  @Test
  void fieldsCanBeBroughtToTheNewestVersionWithoutLosingUnknownOnes() {
    FieldMap old = FieldMap.of(Map.of("size", "xxx", "colour", "red"));

    assertThat(BOARD.upgraded(1, old))
        .isEqualTo(FieldMap.of(Map.of("width", 3L, "painted", false, "colour", "red")));
    assertThat(BOARD.upgraded(3, FieldMap.of(Map.of("width", 3L, "painted", true))))
        .isEqualTo(FieldMap.of(Map.of("width", 3L, "painted", true)));
  }

  @Test
  void whatCanNotBeUpgradedIsNamed() {
    assertThatThrownBy(() -> BOARD.upgraded(1, FieldMap.of(Map.of("size", 3L))))
        .isInstanceOf(StateFormatException.class)
        .hasMessageContaining("upgrade from version 1 failed");
    assertThatThrownBy(() -> BOARD.upgraded(1, FieldMap.of(Map.of())))
        .isInstanceOf(StateFormatException.class)
        .hasMessageContaining("no field 'size'");
    assertThatThrownBy(() -> BOARD.upgraded(4, FieldMap.of(Map.of())))
        .isInstanceOf(StateFormatException.class)
        .hasMessageContaining("version 4 is not one of 1 to 3");
  }

  @Test
  void fieldsOfAnotherShapeStandInARecordAsTheyAre() {
    RecordSchema<Shelf> schema = RecordSchema.of(MethodHandles.lookup(), Shelf.class);
    FieldMap contents = FieldMap.of(Map.of("books", 3L));

    FieldMap fields = schema.toFields(new Shelf("left", contents));

    assertThat(schema.shape()).isEqualTo("{name:text,contents:fields}");
    assertThat(fields.get("contents")).isEqualTo(contents);
    assertThat(schema.fromFields(1, fields).contents()).isEqualTo(contents);
    assertThatThrownBy(() -> schema.fromFields(1, fields.with("contents", "many")))
        .isInstanceOf(StateFormatException.class)
        .hasMessageContaining("Shelf.contents");
  }
}
