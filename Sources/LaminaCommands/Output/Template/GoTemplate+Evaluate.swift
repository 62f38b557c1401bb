// Filling a template in.

extension GoTemplate {
    /// The text for one value. Throws for a field that it does not have.
    func text(for value: FieldValue) throws(TemplateError) -> String {
        var output = ""
        try Self.write(nodes, value, root: value, to: &output)
        return output
    }

    private static func write(
        _ nodes: [Node], _ value: FieldValue, root: FieldValue, to output: inout String
    ) throws(TemplateError) {
        for node in nodes {
            switch node {
            case .text(let text): output += text
            case .output(let pipe): output += try evaluate(pipe, value).printed
            case .condition(let pipe, let body, let other):
                try write(evaluate(pipe, value).isEmpty ? other : body, value, root: root, to: &output)
            case .with(let pipe, let body, let other):
                let inner = try evaluate(pipe, value)
                try write(
                    inner.isEmpty ? other : body, inner.isEmpty ? value : inner, root: root, to: &output)
            case .range(let pipe, let body, let other):
                let items = try items(of: evaluate(pipe, value))
                if items.isEmpty { try write(other, value, root: root, to: &output) }
                for item in items { try write(body, item, root: root, to: &output) }
            }
        }
    }

    private static func items(of value: FieldValue) throws(TemplateError) -> [FieldValue] {
        switch value {
        case .list(let values): values
        case .map(let values): values.sorted { $0.key < $1.key }.map(\.value)
        case .null: []
        default: throw TemplateError("range can't iterate over \(value.printed)")
        }
    }

    private static func evaluate(_ pipe: [Command], _ value: FieldValue) throws(TemplateError) -> FieldValue {
        var piped: FieldValue?
        for command in pipe {
            var arguments: [FieldValue] = []
            for operand in command.arguments { arguments.append(try evaluate(operand, value)) }
            if let piped { arguments.append(piped) }
            if let function = command.function {
                piped = try TemplateFunction.call(function, arguments)
            } else {
                guard arguments.count == 1 else {
                    throw TemplateError("can't give argument to non-function \(arguments[0].printed)")
                }
                piped = arguments[0]
            }
        }
        return piped ?? .null
    }

    private static func evaluate(_ operand: Operand, _ value: FieldValue) throws(TemplateError) -> FieldValue
    {
        switch operand {
        case .literal(let literal): return literal
        case .pipe(let pipe): return try evaluate(pipe, value)
        case .field(let path):
            var current = value
            for name in path {
                guard case .map(let fields) = current else {
                    throw TemplateError("can't evaluate field \(name) in \(current.printed)")
                }
                guard let next = fields[name] else {
                    throw TemplateError(
                        "there is no field .\(name), only: \(fields.keys.sorted().map { ".\($0)" }.joined(separator: " "))"
                    )
                }
                current = next
            }
            return current
        }
    }
}
