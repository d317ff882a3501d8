package kiln.kernels.emulator;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kiln.kernels.emulator.PtxLexer.Token;

/** Reads PTX text: directives, declarations and instructions; each kernel's instructions are decoded when its body is read. */
final class PtxParser {
    private record Placed(Statement statement, Scope scope) { }

    private final List<Token> tokens;
    private int position;
    private final Scope moduleScope = new Scope(null);
    private final List<Variable> moduleVariables = new ArrayList<>();
    /** Module-level shared variables, which every kernel gets. */
    private final KernelBuilder moduleShared = new KernelBuilder();
    private final Map<String, PtxKernel> kernels = new LinkedHashMap<>();
    private String target = "";

    PtxParser(String text) {
        tokens = PtxLexer.tokens(text);
    }

    PtxModule parse() {
        while (peek().kind() != 'e') {
            Token token = next();
            switch (token.text()) {
                case ".version", ".address_size" -> next();
                case ".target" -> {
                    target = next().text();
                    while (accept(",")) {
                        next();
                    }
                }
                case ".visible", ".extern", ".weak" -> { }
                case ".entry" -> entry();
                case ".file", ".section", ".pragma" -> skipLine(token.line());
                case ".global", ".const", ".shared" -> declaration(token, moduleScope, moduleShared);
                default -> throw new PtxException(token.line(), "unknown directive " + token.text());
            }
        }
        if (kernels.isEmpty()) {
            throw new PtxException(peek().line(), "no .entry in the text");
        }
        return new PtxModule(kernels, moduleVariables, target);
    }

    private void entry() {
        Token name = next();
        Scope scope = new Scope(moduleScope);
        KernelBuilder builder = new KernelBuilder();
        builder.reserveShared(moduleShared.staticSharedBytes(), 1);
        List<PtxKernel.Parameter> parameters = new ArrayList<>();
        int parameterBytes = 0;
        if (accept("(")) {
            while (!accept(")")) {
                expect(".param");
                Declared declared = declared(scope);
                int offset = KernelBuilder.aligned(parameterBytes, declared.alignment);
                scope.declare(declared.line, new Variable(declared.name, Variable.Space.PARAM, offset, declared.bytes(), declared.alignment, false, null));
                parameters.add(new PtxKernel.Parameter(declared.name, offset, declared.bytes()));
                parameterBytes = offset + declared.bytes();
                accept(",");
            }
        }
        while (!peek().is("{")) {
            performanceDirective(builder);
        }
        expect("{");
        List<Placed> placed = new ArrayList<>();
        body(scope, builder, placed);
        Instruction[] code = new Instruction[placed.size() + 1];
        for (int i = 0; i < placed.size(); i++) {
            code[i] = InstructionDecoder.decode(placed.get(i).statement, placed.get(i).scope, builder);
        }
        int last = tokens.get(position - 1).line();
        code[placed.size()] = new Instruction(last, "end of kernel", false, 0, Instruction.Flow.EXIT, null, 0, null, new RegisterUse());
        if (kernels.put(name.text(), new PtxKernel(name.text(), parameters, parameterBytes, code, builder)) != null) {
            throw new PtxException(name.line(), "entry " + name.text() + " is there twice");
        }
    }

    private void performanceDirective(KernelBuilder builder) {
        Token token = next();
        switch (token.text()) {
            case ".maxntid", ".reqntid" -> {
                int threads = 1;
                do {
                    threads *= (int) number();
                } while (accept(","));
                builder.maximumThreads(threads);
            }
            case ".minnctapersm", ".maxnctapersm", ".maxnreg" -> number();
            case ".pragma" -> skipLine(token.line());
            default -> throw new PtxException(token.line(), "unknown directive " + token.text() + " of an entry");
        }
    }

    private void body(Scope scope, KernelBuilder builder, List<Placed> placed) {
        while (!accept("}")) {
            Token token = peek();
            if (token.kind() == 'e') {
                throw new PtxException(token.line(), "the text ends inside a kernel");
            }
            if (accept("{")) {
                body(new Scope(scope), builder, placed);
                continue;
            }
            if (token.is(";")) {
                next();
                continue;
            }
            switch (token.text()) {
                case ".reg" -> {
                    next();
                    registers(scope);
                }
                case ".shared", ".local" -> declaration(next(), scope, builder);
                case ".loc", ".pragma", ".file" -> skipLine(next().line());
                default -> {
                    if (token.kind() == 'w' && tokens.get(position + 1).is(":")) {
                        next();
                        next();
                        scope.label(token.line(), token.text(), placed.size());
                    } else {
                        placed.add(new Placed(statement(), scope));
                    }
                }
            }
        }
    }

    private void registers(Scope scope) {
        Token type = next();
        PtxType known = type(type);
        do {
            Token name = next();
            if (accept("<")) {
                long count = number();
                expect(">");
                for (int i = 0; i < count; i++) {
                    scope.declare(name.line(), new Register(name.text() + i, known));
                }
            } else {
                scope.declare(name.line(), new Register(name.text(), known));
            }
        } while (accept(","));
        expect(";");
    }

    private record Declared(int line, String name, PtxType type, int alignment, int count, boolean open) {
        int bytes() {
            return type.bytes() * count;
        }
    }

    /** {@code [.align n] .type [.ptr .space .align n] name [dimensions]}. */
    private Declared declared(Scope scope) {
        int alignment = 0;
        PtxType type = null;
        int vector = 1;
        while (peek().text().startsWith(".")) {
            Token token = next();
            switch (token.text()) {
                case ".align" -> {
                    int given = (int) number();
                    // A second one belongs to .ptr and speaks of what it points to.
                    alignment = type == null ? given : alignment;
                }
                case ".ptr", ".global", ".const", ".shared" -> { }
                case ".v2" -> vector = 2;
                case ".v4" -> vector = 4;
                default -> type = type(token);
            }
        }
        Token name = next();
        if (type == null || name.kind() != 'w') {
            throw new PtxException(name.line(), "a declaration without type or name at " + name.text());
        }
        int count = vector;
        boolean open = false;
        while (accept("[")) {
            if (accept("]")) {
                open = true;
                count = 0;
            } else {
                count *= (int) number();
                expect("]");
            }
        }
        return new Declared(name.line(), name.text(), type, Math.max(alignment, type.bytes() * (alignment == 0 ? vector : 1)), count, open);
    }

    private void declaration(Token space, Scope scope, KernelBuilder builder) {
        Declared declared = declared(scope);
        byte[] contents = null;
        if (accept("=")) {
            contents = contents(declared);
        }
        expect(";");
        Variable.Space where = Variable.Space.valueOf(space.text().substring(1).toUpperCase(java.util.Locale.ROOT));
        int bytes = declared.bytes();
        int offset = switch (where) {
            case SHARED -> declared.open ? 0 : builder.reserveShared(bytes, declared.alignment);
            case LOCAL -> builder.reserveLocal(bytes, declared.alignment);
            default -> moduleVariables.size();
        };
        Variable variable = new Variable(declared.name, where, offset, bytes, declared.alignment, declared.open, contents);
        if (where == Variable.Space.GLOBAL || where == Variable.Space.CONST) {
            moduleVariables.add(variable);
        }
        scope.declare(declared.line, variable);
    }

    private byte[] contents(Declared declared) {
        byte[] bytes = new byte[declared.bytes()];
        int at = 0;
        int depth = 0;
        do {
            while (accept("{")) {
                depth++;
            }
            Operand literal = literal();
            long bits = literal.value();
            if (literal.kind() == Operand.Kind.FLOAT64 && declared.type == PtxType.F32) {
                bits = Float.floatToRawIntBits((float) Double.longBitsToDouble(bits));
            }
            for (int i = 0; i < declared.type.bytes(); i++) {
                if (at >= bytes.length) {
                    throw new PtxException(declared.line, "more values than " + declared.name + " takes");
                }
                bytes[at++] = (byte) (bits >>> 8 * i);
            }
            while (accept("}")) {
                depth--;
            }
        } while (accept(","));
        if (depth != 0) {
            throw new PtxException(declared.line, "braces of the values of " + declared.name + " do not match");
        }
        return bytes;
    }

    private Statement statement() {
        Operand guard = null;
        if (accept("@")) {
            boolean negated = accept("!");
            guard = Operand.name(next().text(), negated);
        }
        Token opcode = next();
        if (opcode.kind() != 'w') {
            throw new PtxException(opcode.line(), "an instruction was expected, found " + opcode.text());
        }
        List<Operand> operands = new ArrayList<>();
        if (!accept(";")) {
            do {
                operands.add(operand());
            } while (accept(","));
            expect(";");
        }
        return Statement.of(opcode.line(), guard, opcode.text(), operands);
    }

    private Operand operand() {
        Token token = peek();
        switch (token.kind()) {
            case '{' -> {
                next();
                List<Operand> elements = new ArrayList<>();
                do {
                    elements.add(operand());
                } while (accept(","));
                expect("}");
                return Operand.group(Operand.Kind.VECTOR, elements);
            }
            case '[' -> {
                next();
                return address();
            }
            case '!' -> {
                next();
                return Operand.name(next().text(), true);
            }
            case 'w' -> {
                next();
                Operand name = Operand.name(token.text(), false);
                if (accept("|")) {
                    return Operand.group(Operand.Kind.PAIR, List.of(name, Operand.name(next().text(), false)));
                }
                if (peek().is("+") || peek().is("-")) {
                    throw new PtxException(token.line(), "an offset from " + token.text() + " outside of brackets is not supported");
                }
                return name;
            }
            case 'n', '-', '+' -> {
                return literal();
            }
            default -> throw new PtxException(token.line(), "an operand was expected, found " + token.text());
        }
    }

    private Operand address() {
        String base = "";
        long offset = 0;
        if (peek().kind() == 'w') {
            base = next().text();
        } else {
            offset = number();
        }
        while (peek().is("+") || peek().is("-")) {
            boolean minus = next().is("-");
            boolean again = accept("-");
            long value = number();
            offset += minus != again ? -value : value;
        }
        expect("]");
        return Operand.address(base, offset);
    }

    private Operand literal() {
        boolean negative = false;
        while (peek().is("-") || peek().is("+")) {
            negative ^= next().is("-");
        }
        Token token = next();
        String text = token.text();
        if (token.kind() != 'n') {
            throw new PtxException(token.line(), "a number was expected, found " + text);
        }
        try {
            if (text.length() == 10 && text.substring(0, 2).equalsIgnoreCase("0f")) {
                long bits = Long.parseLong(text.substring(2), 16);
                return Operand.literal(Operand.Kind.FLOAT32, negative ? bits ^ 0x8000_0000L : bits);
            }
            if (text.length() == 18 && text.substring(0, 2).equalsIgnoreCase("0d")) {
                long bits = Long.parseUnsignedLong(text.substring(2), 16);
                return Operand.literal(Operand.Kind.FLOAT64, negative ? bits ^ Long.MIN_VALUE : bits);
            }
            boolean hexadecimal = text.startsWith("0x") || text.startsWith("0X");
            if (!hexadecimal && (text.contains(".") || text.contains("e") || text.contains("E"))) {
                double value = Double.parseDouble(text);
                return Operand.literal(Operand.Kind.FLOAT64, Double.doubleToRawLongBits(negative ? -value : value));
            }
            String digits = text.endsWith("U") || text.endsWith("u") ? text.substring(0, text.length() - 1) : text;
            long value;
            if (hexadecimal) {
                value = Long.parseUnsignedLong(digits.substring(2), 16);
            } else if (digits.startsWith("0b") || digits.startsWith("0B")) {
                value = Long.parseUnsignedLong(digits.substring(2), 2);
            } else if (digits.length() > 1 && digits.startsWith("0")) {
                value = Long.parseUnsignedLong(digits, 8);
            } else {
                value = Long.parseUnsignedLong(digits);
            }
            return Operand.literal(Operand.Kind.INTEGER, negative ? -value : value);
        } catch (NumberFormatException e) {
            throw new PtxException(token.line(), "not a number: " + text);
        }
    }

    private long number() {
        Operand literal = literal();
        if (literal.kind() != Operand.Kind.INTEGER) {
            throw new PtxException(tokens.get(position - 1).line(), "a whole number was expected, found " + literal);
        }
        return literal.value();
    }

    private static PtxType type(Token token) {
        PtxType type = token.text().startsWith(".") ? PtxType.of(token.text().substring(1)) : null;
        if (type == null) {
            throw new PtxException(token.line(), "unknown type " + token.text());
        }
        return type;
    }

    private void skipLine(int line) {
        while (peek().line() == line && peek().kind() != 'e') {
            next();
        }
    }

    private Token peek() {
        return tokens.get(position);
    }

    private Token next() {
        Token token = tokens.get(position);
        if (token.kind() == 'e') {
            throw new PtxException(token.line(), "the text ends too early");
        }
        position++;
        return token;
    }

    private boolean accept(String text) {
        if (peek().kind() != 's' && peek().is(text)) {
            position++;
            return true;
        }
        return false;
    }

    private void expect(String text) {
        Token token = next();
        if (!token.is(text)) {
            throw new PtxException(token.line(), "'" + text + "' was expected, found '" + token.text() + "'");
        }
    }
}
