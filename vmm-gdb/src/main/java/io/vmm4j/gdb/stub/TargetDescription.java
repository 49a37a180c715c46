package io.vmm4j.gdb.stub;

import java.nio.charset.StandardCharsets;

/**
 * {@code target.xml}: which registers there are ("Debugging with GDB", appendix G). GDB knows the
 * features {@code org.gnu.gdb.i386.*} and wants their registers by these names and types; what is
 * in {@code io.vmm4j.system} it shows as it is described.
 *
 * <p>A description says that it is compatible with the other architecture, else GDB refuses it for
 * a program of that one: a kernel of 64 bits that begins in 32-bit mode, or one of 32 bits that
 * goes on in 64-bit mode.
 */
final class TargetDescription {
  private static final String BEGIN =
      """
      <?xml version="1.0"?>
      <!DOCTYPE target SYSTEM "gdb-target.dtd">
      <target version="1.0">
        <architecture>%s</architecture>
        <compatible>%s</compatible>
      """;

  private static final String FLAGS =
      """
          <flags id="i386_eflags" size="4">
            <field name="CF" start="0" end="0"/>
            <field name="" start="1" end="1"/>
            <field name="PF" start="2" end="2"/>
            <field name="AF" start="4" end="4"/>
            <field name="ZF" start="6" end="6"/>
            <field name="SF" start="7" end="7"/>
            <field name="TF" start="8" end="8"/>
            <field name="IF" start="9" end="9"/>
            <field name="DF" start="10" end="10"/>
            <field name="OF" start="11" end="11"/>
            <field name="NT" start="14" end="14"/>
            <field name="RF" start="16" end="16"/>
            <field name="VM" start="17" end="17"/>
            <field name="AC" start="18" end="18"/>
            <field name="VIF" start="19" end="19"/>
            <field name="VIP" start="20" end="20"/>
            <field name="ID" start="21" end="21"/>
          </flags>
      """;

  private static final String VECTORS =
      """
          <vector id="v4f" type="ieee_single" count="4"/>
          <vector id="v2d" type="ieee_double" count="2"/>
          <vector id="v16i8" type="int8" count="16"/>
          <vector id="v8i16" type="int16" count="8"/>
          <vector id="v4i32" type="int32" count="4"/>
          <vector id="v2i64" type="int64" count="2"/>
          <union id="vec128">
            <field name="v4_float" type="v4f"/>
            <field name="v2_double" type="v2d"/>
            <field name="v16_int8" type="v16i8"/>
            <field name="v8_int16" type="v8i16"/>
            <field name="v4_int32" type="v4i32"/>
            <field name="v2_int64" type="v2i64"/>
            <field name="uint128" type="uint128"/>
          </union>
          <flags id="i386_mxcsr" size="4">
            <field name="IE" start="0" end="0"/>
            <field name="DE" start="1" end="1"/>
            <field name="ZE" start="2" end="2"/>
            <field name="OE" start="3" end="3"/>
            <field name="UE" start="4" end="4"/>
            <field name="PE" start="5" end="5"/>
            <field name="DAZ" start="6" end="6"/>
            <field name="IM" start="7" end="7"/>
            <field name="DM" start="8" end="8"/>
            <field name="ZM" start="9" end="9"/>
            <field name="OM" start="10" end="10"/>
            <field name="UM" start="11" end="11"/>
            <field name="PM" start="12" end="12"/>
            <field name="FZ" start="15" end="15"/>
          </flags>
      """;

  private TargetDescription() {}

  static byte[] xml(Architecture architecture) {
    StringBuilder xml =
        new StringBuilder(BEGIN.formatted(architecture.gdbName(), architecture.other().gdbName()));
    String feature = "";
    for (Register register : architecture.registers()) {
      String its = register.kind().feature();
      if (!its.equals(feature)) {
        xml.append(feature.isEmpty() ? "" : "  </feature>\n");
        xml.append("  <feature name=\"%s\">\n".formatted(its));
        xml.append(types(register.kind()));
        feature = its;
      }
      xml.append(
          "    <reg name=\"%s\" bitsize=\"%d\" type=\"%s\"/>\n"
              .formatted(register.name(), register.bits(), register.type()));
    }
    xml.append("  </feature>\n</target>\n");
    return xml.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static String types(Register.Kind first) {
    return switch (first) {
      case GENERAL -> FLAGS;
      case XMM -> VECTORS;
      default -> "";
    };
  }
}
