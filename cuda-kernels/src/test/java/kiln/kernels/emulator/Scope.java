package kiln.kernels.emulator;

import java.util.HashMap;
import java.util.Map;

/** Names visible in a module, a kernel or a nested block of it. */
final class Scope {
    private final Scope parent;
    private final Map<String, Register> registers = new HashMap<>();
    private final Map<String, Variable> variables = new HashMap<>();
    private final Map<String, Integer> labels = new HashMap<>();

    Scope(Scope parent) {
        this.parent = parent;
    }

    Scope parent() {
        return parent;
    }

    void declare(int line, Register register) {
        if (registers.put(register.name, register) != null) {
            throw new PtxException(line, "register " + register.name + " is declared twice");
        }
    }

    void declare(int line, Variable variable) {
        if (variables.put(variable.name(), variable) != null) {
            throw new PtxException(line, "variable " + variable.name() + " is declared twice");
        }
    }

    void label(int line, String name, int instruction) {
        if (labels.put(name, instruction) != null) {
            throw new PtxException(line, "label " + name + " is there twice");
        }
    }

    Register register(String name) {
        for (Scope scope = this; scope != null; scope = scope.parent) {
            Register found = scope.registers.get(name);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    Variable variable(String name) {
        for (Scope scope = this; scope != null; scope = scope.parent) {
            Variable found = scope.variables.get(name);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    Integer label(String name) {
        for (Scope scope = this; scope != null; scope = scope.parent) {
            Integer found = scope.labels.get(name);
            if (found != null) {
                return found;
            }
        }
        return null;
    }
}
