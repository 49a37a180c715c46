package io.vmm4j.software.machinecode;

import static org.junit.jupiter.api.Assumptions.abort;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Gives tests the machine code of one boot, which they share. */
public final class BootedCodeResolver implements ParameterResolver {
  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == BootedCode.class;
  }

  @Override
  public BootedCode resolveParameter(ParameterContext parameter, ExtensionContext context) {
    MachineCode.missing()
        .ifPresent(reason -> {
          System.out.println("SKIPPED: no machine code to look at: " + reason);
          abort(reason);
        });
    return context
        .getRoot()
        .getStore(Namespace.create(BootedCodeResolver.class))
        .computeIfAbsent(BootedCode.class, key -> BootedCode.boot(), BootedCode.class);
  }
}
