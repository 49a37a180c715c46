package io.vmm4j.snapshot;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.cbor.CBORParser;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.state.FieldMap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Builds fields from the tokens of one CBOR map, and refuses what fields have not. */
final class CborDecoder {
  private static final int MAJOR_TYPE_TEXT = 3;

  private final CBORParser parser;
  private final byte[] bytes;
  private final long offset;
  private final CborFields.Budget budget;

  /**
   * A decoder.
   *
   * @param parser at the start of {@code bytes}
   * @param offset where the bytes begin in the stream, for messages
   */
  CborDecoder(CBORParser parser, byte[] bytes, long offset, CborFields.Budget budget) {
    this.parser = parser;
    this.bytes = bytes;
    this.offset = offset;
    this.budget = budget;
  }

  FieldMap decode() throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT || parser.getCurrentTag() != -1) {
      throw corrupt("expected a map of fields");
    }
    FieldMap fields = map(1);
    if (parser.currentLocation().getByteOffset() != bytes.length) {
      throw corrupt("bytes follow the map of fields");
    }
    return fields;
  }

  private FieldMap map(int depth) throws IOException {
    Map<String, Object> fields = new LinkedHashMap<>();
    while (next() != JsonToken.END_OBJECT) {
      // The parser would take numbers and byte strings for names as well.
      int at = (int) parser.currentTokenLocation().getByteOffset();
      if (parser.currentToken() != JsonToken.FIELD_NAME
          || (bytes[at] & 0xFF) >> 5 != MAJOR_TYPE_TEXT) {
        throw corrupt("expected the name of a field");
      }
      String name = parser.currentName();
      if (fields.put(name, value(next(), depth)) != null) {
        throw corrupt("the field '" + name + "' is there twice");
      }
    }
    return FieldMap.of(fields);
  }

  private Object value(JsonToken token, int depth) throws IOException {
    budget.take(1);
    if (parser.getCurrentTag() != -1) {
      throw corrupt("a tagged value");
    }
    return switch (token) {
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_STRING -> parser.getText();
      case VALUE_EMBEDDED_OBJECT -> parser.getBinaryValue();
      case VALUE_NUMBER_INT -> {
        if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
          throw corrupt("an integer beyond 64 bits");
        }
        yield parser.getLongValue();
      }
      case START_OBJECT -> map(deeper(depth));
      case START_ARRAY -> list(deeper(depth));
      default -> throw corrupt("a value of a kind that fields have not");
    };
  }

  private List<Object> list(int depth) throws IOException {
    List<Object> list = new ArrayList<>();
    for (JsonToken token = next(); token != JsonToken.END_ARRAY; token = next()) {
      list.add(value(token, depth));
    }
    return list;
  }

  private int deeper(int depth) {
    if (depth >= CborFields.MAX_DEPTH) {
      throw corrupt("nested deeper than " + CborFields.MAX_DEPTH);
    }
    return depth + 1;
  }

  private JsonToken next() throws IOException {
    JsonToken token = parser.nextToken();
    if (token == null) {
      throw corrupt("the fields end too early");
    }
    return token;
  }

  private SnapshotException.Corrupt corrupt(String what) {
    return new SnapshotException.Corrupt(
        offset + Math.max(0, parser.currentTokenLocation().getByteOffset()), what);
  }
}
