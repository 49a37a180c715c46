package io.vmm4j.snapshot;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.CBORGenerator;
import com.fasterxml.jackson.dataformat.cbor.CBORParser;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.state.FieldMap;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Fields as one CBOR map: text keys; integers of 64 bits with a sign, booleans, text, byte strings,
 * arrays and maps as values; no tags, no floating point, no null.
 */
final class CborFields {
  static final int MAX_DEPTH = 16;
  static final int MAX_TEXT_CHARS = 1 << 20;
  static final int MAX_NAME_CHARS = 256;

  private static final CBORFactory FACTORY =
      CBORFactory.builder()
          // Names come from anybody's file: they must not stay in tables that all share.
          .disable(com.fasterxml.jackson.core.JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(com.fasterxml.jackson.core.JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH + 1)
                  .maxStringLength(MAX_TEXT_CHARS)
                  .maxNameLength(MAX_NAME_CHARS)
                  .build())
          .build();

  /** How many more values a reader takes, so that many small ones can't fill the heap. */
  static final class Budget {
    private int remaining;

    Budget(int values) {
      this.remaining = values;
    }
  }

  private CborFields() {}

  /**
   * The encoding of fields.
   *
   * @throws IllegalArgumentException if they are nested too deeply, or a text is too long or is not
   *     Unicode
   */
  static byte[] encode(FieldMap fields) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CBORGenerator generator = FACTORY.createGenerator(out)) {
      write(generator, fields, 1);
    } catch (IOException e) {
      throw new IllegalArgumentException("fields that can't be written: " + e.getMessage(), e);
    }
    return out.toByteArray();
  }

  private static void write(CBORGenerator generator, Object value, int depth) throws IOException {
    if (depth > MAX_DEPTH) {
      throw new IllegalArgumentException("fields are nested deeper than " + MAX_DEPTH);
    }
    switch (value) {
      case Long n -> generator.writeNumber(n.longValue());
      case Boolean b -> generator.writeBoolean(b);
      case byte[] bytes -> generator.writeBinary(bytes);
      case String text -> {
        if (text.length() > MAX_TEXT_CHARS) {
          throw new IllegalArgumentException("a text is longer than " + MAX_TEXT_CHARS);
        }
        generator.writeString(text);
      }
      case List<?> list -> {
        generator.writeStartArray(list, list.size());
        for (Object element : list) {
          write(generator, element, depth + 1);
        }
        generator.writeEndArray();
      }
      case FieldMap map -> {
        generator.writeStartObject(map, map.names().size());
        for (Map.Entry<String, Object> entry : map.asMap().entrySet()) {
          if (entry.getKey().length() > MAX_NAME_CHARS) {
            throw new IllegalArgumentException("a field's name is longer than " + MAX_NAME_CHARS);
          }
          generator.writeFieldName(entry.getKey());
          write(generator, entry.getValue(), depth + 1);
        }
        generator.writeEndObject();
      }
      default -> throw new IllegalArgumentException("not a field value: " + value.getClass());
    }
  }

  /**
   * The fields that an encoding stands for.
   *
   * @param offset where the bytes begin in the stream, for messages
   * @throws SnapshotException.Corrupt if it is not exactly one map of the form above
   */
  static FieldMap decode(byte[] bytes, long offset, Budget budget) {
    try (CBORParser parser = FACTORY.createParser(bytes)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw corrupt(parser, offset, "expected a map of fields");
      }
      FieldMap fields = map(parser, offset, budget, 1);
      if (parser.currentLocation().getByteOffset() != bytes.length) {
        throw corrupt(parser, offset, "bytes follow the map of fields");
      }
      return fields;
    } catch (IOException e) {
      throw new SnapshotException.Corrupt(offset, "not the CBOR of fields: " + firstLine(e));
    } catch (SnapshotException e) {
      throw e;
    } catch (RuntimeException e) {
      // Bytes from anybody: a parser's slip is no reason to let anything else out.
      throw new SnapshotException.Corrupt(offset, "not the CBOR of fields: " + e);
    }
  }

  private static FieldMap map(CBORParser parser, long offset, Budget budget, int depth)
      throws IOException {
    Map<String, Object> fields = new LinkedHashMap<>();
    while (next(parser, offset) != JsonToken.END_OBJECT) {
      if (parser.currentToken() != JsonToken.FIELD_NAME) {
        throw corrupt(parser, offset, "expected the name of a field");
      }
      String name = parser.currentName();
      JsonToken token = next(parser, offset);
      if (fields.put(name, value(parser, token, offset, budget, depth)) != null) {
        throw corrupt(parser, offset, "the field '" + name + "' is there twice");
      }
    }
    return FieldMap.of(fields);
  }

  private static Object value(
      CBORParser parser, JsonToken token, long offset, Budget budget, int depth)
      throws IOException {
    if (--budget.remaining < 0) {
      throw new SnapshotException.Incompatible("the number of values", "there are too many");
    }
    if (parser.getCurrentTag() != -1) {
      throw corrupt(parser, offset, "a tagged value");
    }
    return switch (token) {
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_STRING -> parser.getText();
      case VALUE_EMBEDDED_OBJECT -> parser.getBinaryValue();
      case VALUE_NUMBER_INT -> {
        if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
          throw corrupt(parser, offset, "an integer beyond 64 bits");
        }
        yield parser.getLongValue();
      }
      case START_OBJECT -> {
        deeper(parser, offset, depth);
        yield map(parser, offset, budget, depth + 1);
      }
      case START_ARRAY -> {
        deeper(parser, offset, depth);
        List<Object> list = new ArrayList<>();
        for (JsonToken t = next(parser, offset);
            t != JsonToken.END_ARRAY;
            t = next(parser, offset)) {
          list.add(value(parser, t, offset, budget, depth + 1));
        }
        yield list;
      }
      default -> throw corrupt(parser, offset, "a value of a kind that fields have not");
    };
  }

  private static void deeper(CBORParser parser, long offset, int depth) {
    if (depth >= MAX_DEPTH) {
      throw corrupt(parser, offset, "nested deeper than " + MAX_DEPTH);
    }
  }

  private static JsonToken next(CBORParser parser, long offset) throws IOException {
    JsonToken token = parser.nextToken();
    if (token == null) {
      throw corrupt(parser, offset, "the fields end too early");
    }
    return token;
  }

  private static SnapshotException.Corrupt corrupt(CBORParser parser, long offset, String what) {
    return new SnapshotException.Corrupt(
        offset + Math.max(0, parser.currentTokenLocation().getByteOffset()), what);
  }

  private static String firstLine(IOException e) {
    String message = String.valueOf(e.getMessage());
    int end = message.indexOf('\n');
    return end < 0 ? message : message.substring(0, end);
  }
}
