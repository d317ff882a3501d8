package kiln.kernels.emulator;

import kiln.kernels.emulator.Lanes.Binary32;
import kiln.kernels.emulator.Lanes.Binary64;
import kiln.kernels.emulator.Lanes.Ternary32;
import kiln.kernels.emulator.Lanes.Unary32;
import kiln.kernels.emulator.Lanes.Unary64;

/** Integer and bit arithmetic of 16, 32 and 64 bits. A division by zero gives all ones, as on the card. */
final class IntegerInstructions {
    private IntegerInstructions() { }

    static Operation decode(Operands operands) {
        Statement statement = operands.statement;
        PtxType type = statement.type();
        if (!type.isInteger() || type.bits == 8) {
            throw statement.unknown();
        }
        return switch (statement.family()) {
            case "mul", "mad" -> multiply(operands, type);
            case "shl", "shr" -> shift(operands, type);
            case "popc", "clz", "bfind" -> count(operands, type);
            case "abs", "neg", "not", "cnot", "brev" -> unary(operands, type);
            case "bfe", "bfi" -> BitFields.decode(operands, type);
            case "prmt", "shf", "lop3", "dp4a" -> BitFields.decode(operands, type);
            case "sad" -> sad(operands, type);
            default -> binary(operands, type);
        };
    }

    private static Operation binary(Operands operands, PtxType type) {
        Statement statement = operands.statement;
        statement.allow();
        statement.expectOperands(3, 3);
        int d = operands.target(0, type);
        int a = operands.source(1, type);
        int b = operands.source(2, type);
        boolean signed = type.isSigned();
        if (type.bits == 64) {
            return Lanes.binary(binary64(statement, signed), d, a, b);
        }
        Binary32 function = binary32(statement, signed);
        return Lanes.binary(type.bits == 16 ? narrow(function, signed) : function, d, a, b);
    }

    private static Binary32 narrow(Binary32 function, boolean signed) {
        return (d, a, b) -> {
            function.apply(d, Lanes.extended16(a, signed), Lanes.extended16(b, signed));
            Lanes.cut16(d);
        };
    }

    private static Binary32 binary32(Statement statement, boolean signed) {
        return switch (statement.family()) {
            case "add" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = a[i] + b[i];
                }
            };
            case "sub" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = a[i] - b[i];
                }
            };
            case "and" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = a[i] & b[i];
                }
            };
            case "or" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = a[i] | b[i];
                }
            };
            case "xor" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = a[i] ^ b[i];
                }
            };
            case "min" -> signed ? (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = Math.min(a[i], b[i]);
                }
            } : (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = Integer.compareUnsigned(a[i], b[i]) < 0 ? a[i] : b[i];
                }
            };
            case "max" -> signed ? (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = Math.max(a[i], b[i]);
                }
            } : (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = Integer.compareUnsigned(a[i], b[i]) > 0 ? a[i] : b[i];
                }
            };
            case "div" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = b[i] == 0 ? -1 : signed ? a[i] / b[i] : Integer.divideUnsigned(a[i], b[i]);
                }
            };
            case "rem" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = b[i] == 0 ? -1 : signed ? a[i] % b[i] : Integer.remainderUnsigned(a[i], b[i]);
                }
            };
            default -> throw statement.unknown();
        };
    }

    private static Binary64 binary64(Statement statement, boolean signed) {
        return switch (statement.family()) {
            case "add" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = a[i] + b[i];
                }
            };
            case "sub" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = a[i] - b[i];
                }
            };
            case "and" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = a[i] & b[i];
                }
            };
            case "or" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = a[i] | b[i];
                }
            };
            case "xor" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = a[i] ^ b[i];
                }
            };
            case "min" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = (signed ? Long.compare(a[i], b[i]) : Long.compareUnsigned(a[i], b[i])) < 0 ? a[i] : b[i];
                }
            };
            case "max" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = (signed ? Long.compare(a[i], b[i]) : Long.compareUnsigned(a[i], b[i])) > 0 ? a[i] : b[i];
                }
            };
            case "div" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = b[i] == 0 ? -1 : signed ? a[i] / b[i] : Long.divideUnsigned(a[i], b[i]);
                }
            };
            case "rem" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = b[i] == 0 ? -1 : signed ? a[i] % b[i] : Long.remainderUnsigned(a[i], b[i]);
                }
            };
            default -> throw statement.unknown();
        };
    }

    private static Operation multiply(Operands operands, PtxType type) {
        Statement statement = operands.statement;
        statement.allow("lo", "hi", "wide");
        boolean add = statement.family().equals("mad");
        statement.expectOperands(add ? 4 : 3, add ? 4 : 3);
        boolean signed = type.isSigned();
        int a = operands.source(1, type);
        int b = operands.source(2, type);
        if (statement.has("wide")) {
            return wide(operands, type, add, a, b);
        }
        boolean high = statement.has("hi");
        if (!high && !statement.has("lo")) {
            throw statement.error(statement.opcode() + " needs .lo, .hi or .wide");
        }
        int d = operands.target(0, type);
        int c = add ? operands.source(3, type) : -1;
        if (type.bits == 64) {
            Binary64 product = high ? (dd, aa, bb) -> {
                for (int i = 0; i < 32; i++) {
                    long top = Math.multiplyHigh(aa[i], bb[i]);
                    dd[i] = signed ? top : top + (aa[i] >> 63 & bb[i]) + (bb[i] >> 63 & aa[i]);
                }
            } : (dd, aa, bb) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = aa[i] * bb[i];
                }
            };
            return !add ? Lanes.binary(product, d, a, b) : Lanes.ternary((long[] dd, long[] aa, long[] bb, long[] cc) -> {
                long[] result = new long[32];
                product.apply(result, aa, bb);
                for (int i = 0; i < 32; i++) {
                    dd[i] = result[i] + cc[i];
                }
            }, d, a, b, c);
        }
        if (type.bits == 16) {
            int shift = high ? 16 : 0;
            int zero = add ? c : operands.builder.constant32(0);
            return Lanes.ternary((int[] dd, int[] aa, int[] bb, int[] cc) -> {
                for (int i = 0; i < 32; i++) {
                    int product = signed ? (short) aa[i] * (short) bb[i] : (aa[i] & 0xffff) * (bb[i] & 0xffff);
                    dd[i] = (product >> shift) + cc[i] & 0xffff;
                }
            }, d, a, b, zero);
        }
        if (!high) {
            return !add ? Lanes.binary((int[] dd, int[] aa, int[] bb) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = aa[i] * bb[i];
                }
            }, d, a, b) : Lanes.ternary((int[] dd, int[] aa, int[] bb, int[] cc) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = aa[i] * bb[i] + cc[i];
                }
            }, d, a, b, c);
        }
        int addend = add ? c : operands.builder.constant32(0);
        Ternary32 highPart = signed ? (dd, aa, bb, cc) -> {
            for (int i = 0; i < 32; i++) {
                dd[i] = (int) ((long) aa[i] * bb[i] >> 32) + cc[i];
            }
        } : (dd, aa, bb, cc) -> {
            for (int i = 0; i < 32; i++) {
                dd[i] = (int) ((aa[i] & 0xffff_ffffL) * (bb[i] & 0xffff_ffffL) >>> 32) + cc[i];
            }
        };
        return Lanes.ternary(highPart, d, a, b, addend);
    }

    private static Operation wide(Operands operands, PtxType type, boolean add, int a, int b) {
        boolean signed = type.isSigned();
        if (type.bits == 16) {
            int d = operands.target(0, PtxType.B32);
            int c = add ? operands.source(3, PtxType.B32) : operands.builder.constant32(0);
            return Lanes.ternary((int[] dd, int[] aa, int[] bb, int[] cc) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = (signed ? (short) aa[i] * (short) bb[i] : (aa[i] & 0xffff) * (bb[i] & 0xffff)) + cc[i];
                }
            }, d, a, b, c);
        }
        if (type.bits != 32) {
            throw operands.statement.unknown();
        }
        int d = operands.target(0, PtxType.B64);
        if (!add) {
            return signed ? Lanes.wide((dd, aa, bb) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = (long) aa[i] * bb[i];
                }
            }, d, a, b) : Lanes.wide((dd, aa, bb) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = (aa[i] & 0xffff_ffffL) * (bb[i] & 0xffff_ffffL);
                }
            }, d, a, b);
        }
        int c = operands.source(3, PtxType.B64);
        return signed ? Lanes.wide((dd, aa, bb, cc) -> {
            for (int i = 0; i < 32; i++) {
                dd[i] = (long) aa[i] * bb[i] + cc[i];
            }
        }, d, a, b, c) : Lanes.wide((dd, aa, bb, cc) -> {
            for (int i = 0; i < 32; i++) {
                dd[i] = (aa[i] & 0xffff_ffffL) * (bb[i] & 0xffff_ffffL) + cc[i];
            }
        }, d, a, b, c);
    }

    private static Operation shift(Operands operands, PtxType type) {
        Statement statement = operands.statement;
        statement.allow();
        statement.expectOperands(3, 3);
        int d = operands.target(0, type);
        int a = operands.source(1, type);
        int b = operands.source(2, PtxType.U32);
        boolean left = statement.family().equals("shl");
        boolean signed = type.isSigned();
        if (type.bits == 64) {
            return Lanes.shift((dd, aa, bb) -> {
                for (int i = 0; i < 32; i++) {
                    boolean all = Integer.compareUnsigned(bb[i], 63) > 0;
                    dd[i] = left ? all ? 0 : aa[i] << bb[i] : signed ? aa[i] >> (all ? 63 : bb[i]) : all ? 0 : aa[i] >>> bb[i];
                }
            }, d, a, b);
        }
        Binary32 function = left ? (dd, aa, bb) -> {
            for (int i = 0; i < 32; i++) {
                dd[i] = Integer.compareUnsigned(bb[i], 31) > 0 ? 0 : aa[i] << bb[i];
            }
        } : signed ? (dd, aa, bb) -> {
            for (int i = 0; i < 32; i++) {
                dd[i] = aa[i] >> (Integer.compareUnsigned(bb[i], 31) > 0 ? 31 : bb[i]);
            }
        } : (dd, aa, bb) -> {
            for (int i = 0; i < 32; i++) {
                dd[i] = Integer.compareUnsigned(bb[i], 31) > 0 ? 0 : aa[i] >>> bb[i];
            }
        };
        return Lanes.binary(type.bits == 16 ? (Binary32) (dd, aa, bb) -> {
            function.apply(dd, Lanes.extended16(aa, signed), bb);
            Lanes.cut16(dd);
        } : function, d, a, b);
    }

    private static Operation count(Operands operands, PtxType type) {
        Statement statement = operands.statement;
        statement.allow("shiftamt");
        statement.expectOperands(2, 2);
        int d = operands.target(0, PtxType.B32);
        int a = operands.source(1, type);
        boolean signed = type.isSigned();
        boolean shift = statement.has("shiftamt");
        if (type.bits == 64) {
            return Lanes.narrow(switch (statement.family()) {
                case "popc" -> (dd, aa) -> {
                    for (int i = 0; i < 32; i++) {
                        dd[i] = Long.bitCount(aa[i]);
                    }
                };
                case "clz" -> (dd, aa) -> {
                    for (int i = 0; i < 32; i++) {
                        dd[i] = Long.numberOfLeadingZeros(aa[i]);
                    }
                };
                default -> (dd, aa) -> {
                    for (int i = 0; i < 32; i++) {
                        int zeros = Long.numberOfLeadingZeros(signed && aa[i] < 0 ? ~aa[i] : aa[i]);
                        dd[i] = zeros == 64 ? -1 : shift ? zeros : 63 - zeros;
                    }
                };
            }, d, a);
        }
        if (type.bits != 32) {
            throw statement.unknown();
        }
        Unary32 function = switch (statement.family()) {
            case "popc" -> (dd, aa) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = Integer.bitCount(aa[i]);
                }
            };
            case "clz" -> (dd, aa) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = Integer.numberOfLeadingZeros(aa[i]);
                }
            };
            default -> (dd, aa) -> {
                for (int i = 0; i < 32; i++) {
                    int zeros = Integer.numberOfLeadingZeros(signed && aa[i] < 0 ? ~aa[i] : aa[i]);
                    dd[i] = zeros == 32 ? -1 : shift ? zeros : 31 - zeros;
                }
            };
        };
        return Lanes.unary(function, d, a);
    }

    private static Operation unary(Operands operands, PtxType type) {
        Statement statement = operands.statement;
        statement.allow();
        statement.expectOperands(2, 2);
        int d = operands.target(0, type);
        int a = operands.source(1, type);
        if (type.bits == 64) {
            Unary64 function = switch (statement.family()) {
                case "abs" -> (dd, aa) -> {
                    for (int i = 0; i < 32; i++) {
                        dd[i] = Math.abs(aa[i]);
                    }
                };
                case "neg" -> (dd, aa) -> {
                    for (int i = 0; i < 32; i++) {
                        dd[i] = -aa[i];
                    }
                };
                case "not" -> (dd, aa) -> {
                    for (int i = 0; i < 32; i++) {
                        dd[i] = ~aa[i];
                    }
                };
                case "cnot" -> (dd, aa) -> {
                    for (int i = 0; i < 32; i++) {
                        dd[i] = aa[i] == 0 ? 1 : 0;
                    }
                };
                default -> (dd, aa) -> {
                    for (int i = 0; i < 32; i++) {
                        dd[i] = Long.reverse(aa[i]);
                    }
                };
            };
            return Lanes.unary(function, d, a);
        }
        boolean half = type.bits == 16;
        Unary32 function = switch (statement.family()) {
            case "abs" -> (dd, aa) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = Math.abs(half ? (short) aa[i] : aa[i]);
                }
            };
            case "neg" -> (dd, aa) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = -aa[i];
                }
            };
            case "not" -> (dd, aa) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = ~aa[i];
                }
            };
            case "cnot" -> (dd, aa) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = aa[i] == 0 ? 1 : 0;
                }
            };
            default -> {
                if (half) {
                    throw statement.unknown();
                }
                yield (dd, aa) -> {
                    for (int i = 0; i < 32; i++) {
                        dd[i] = Integer.reverse(aa[i]);
                    }
                };
            }
        };
        return Lanes.unary(half ? (Unary32) (dd, aa) -> {
            function.apply(dd, aa);
            Lanes.cut16(dd);
        } : function, d, a);
    }

    private static Operation sad(Operands operands, PtxType type) {
        if (type.bits != 32) {
            throw operands.statement.unknown();
        }
        boolean signed = type.isSigned();
        return Lanes.ternary((int[] d, int[] a, int[] b, int[] c) -> {
            for (int i = 0; i < 32; i++) {
                boolean less = (signed ? Integer.compare(a[i], b[i]) : Integer.compareUnsigned(a[i], b[i])) < 0;
                d[i] = c[i] + (less ? b[i] - a[i] : a[i] - b[i]);
            }
        }, operands.target(0, type), operands.source(1, type), operands.source(2, type), operands.source(3, type));
    }
}
